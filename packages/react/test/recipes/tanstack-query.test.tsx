import { QueryClient, QueryClientProvider, useQuery, useQueryClient } from '@tanstack/react-query'
import { screen } from '@testing-library/react'
import { expect, it } from 'vitest'
import { useEventSource } from '../../src/index.ts'
import { events, type Notice } from '../contract.ts'
import { mount } from '../mount.tsx'
import { startNoticeBoard } from './notice-board.ts'

/** The stream says when the cache is out of date; what it holds always comes from the query. */
function useNotices(api: string) {
  const cache = useQueryClient()
  const refresh = () => cache.invalidateQueries({ queryKey: ['notices'] })
  const { status } = useEventSource(`${api}/events`, {
    events,
    on: { notification: refresh },
    onResync: refresh,
  })
  const { data = [] } = useQuery({
    queryKey: ['notices'],
    queryFn: async (): Promise<Notice[]> => (await fetch(`${api}/notices`)).json(),
    // Nothing can change before the stream is open without being asked for after it.
    enabled: status !== 'idle' && status !== 'connecting',
    staleTime: Number.POSITIVE_INFINITY,
  })
  return { status, notices: data }
}

function Page({ api }: { readonly api: string }) {
  const { status, notices } = useNotices(api)
  return <p>{`${status}: ${notices.map(({ title }) => title).join()}`}</p>
}

it('keeps the cache of TanStack Query honest, through events and gaps', async () => {
  const board = await startNoticeBoard()
  mount(
    <QueryClientProvider client={new QueryClient()}>
      <Page api={board.url} />
    </QueryClientProvider>,
    { strict: true },
  )
  await screen.findByText('open: first')
  expect(board.queries).toBe(1)
  await board.post('second')
  await screen.findByText('open: first,second')
  board.cut()
  await screen.findByText('retrying: first,second')
  for (const title of ['third', 'fourth', 'fifth']) await board.post(title)
  await screen.findByText('open: first,second,third,fourth,fifth')
})
