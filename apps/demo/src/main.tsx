import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './App.tsx'
import './styles/index.css'
import { applyTheme, storedTheme } from './theme.ts'

applyTheme(storedTheme())

const root = document.getElementById('root')
if (root === null) throw new Error('index.html has no #root element.')

createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
