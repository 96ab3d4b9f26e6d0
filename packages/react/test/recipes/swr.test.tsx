import { screen } from '@testing-library/react'
import useSWR, { SWRConfig } from 'swr'
import { expect, it } from 'vitest'
import { useEventSource } from '../../src/index.ts'
import { events, type Notice } from '../contract.ts'
import { mount } from '../mount.tsx'
import { startNoticeBoard } from './notice-board.ts'

/** The stream says when the cache is out of date; what it holds always comes from the fetcher. */
function useNotices(api: string) {
  const { status } = useEventSource(`${api}/events`, {
    events,
    on: { notification: () => mutate() },
    onResync: () => mutate(),
  })
  // Nothing can change before the stream is open without being asked for after it.
  const key = status === 'idle' || status === 'connecting' ? null : `${api}/notices`
  const { data = [], mutate } = useSWR(key, fetchNotices, { revalidateOnFocus: false, dedupingInterval: 0 })
  return { status, notices: data }
}

const fetchNotices = async (url: string): Promise<Notice[]> => (await fetch(url)).json()

function Page({ api }: { readonly api: string }) {
  const { status, notices } = useNotices(api)
  return <p>{`${status}: ${notices.map(({ title }) => title).join()}`}</p>
}

it('keeps the cache of SWR honest, through events and gaps', async () => {
  const board = await startNoticeBoard()
  mount(
    <SWRConfig value={{ provider: () => new Map() }}>
      <Page api={board.url} />
    </SWRConfig>,
    { strict: true },
  )
  await screen.findByText('open: first')
  await board.post('second')
  await screen.findByText('open: first,second')
  board.cut()
  await screen.findByText('retrying: first,second')
  for (const title of ['third', 'fourth', 'fifth']) await board.post(title)
  await screen.findByText('open: first,second,third,fourth,fifth')
  expect(board.queries).toBeGreaterThan(2)
})
