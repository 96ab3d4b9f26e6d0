import { createRoot } from 'react-dom/client'
import { Hook } from './Hook.tsx'
import { Naive } from './Naive.tsx'

const root = document.body.appendChild(document.createElement('main'))
createRoot(root).render(location.hash === '#naive' ? <Naive /> : <Hook />)
