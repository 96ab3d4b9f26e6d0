import { visitorId, visitorName } from '../shared/visitor.ts'
import { storage } from './storage.ts'

const birds = [
  'Avocet',
  'Bittern',
  'Curlew',
  'Dunlin',
  'Egret',
  'Fulmar',
  'Gannet',
  'Heron',
  'Ibis',
  'Jackdaw',
  'Kestrel',
  'Lapwing',
  'Merlin',
  'Nightjar',
  'Osprey',
  'Plover',
  'Quail',
  'Redshank',
  'Snipe',
  'Tern',
  'Wren',
  'Yaffle',
]

/** The visitor: another one in each tab, the same after a reload. `?name=` in the url sets the name. */
export const me = {
  id: kept('visitor', (text) => visitorId.safeParse(text).data, randomId),
  name:
    visitorName.safeParse(new URLSearchParams(location.search).get('name')).data ??
    kept(
      'name',
      (text) => visitorName.safeParse(text).data,
      () => birds[Math.floor(Math.random() * birds.length)] ?? 'Visitor',
    ),
}

function kept(key: string, read: (text: string | null) => string | undefined, make: () => string): string {
  const session = storage('sessionStorage')
  const value = read(session?.getItem(key) ?? null) ?? make()
  // A tab that is opened from this one, or duplicated, starts with a copy of its storage, which must not contain the value.
  addEventListener('pageshow', () => session?.removeItem(key))
  addEventListener('pagehide', () => session?.setItem(key, value))
  return value
}

function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('')
}
