import { fanOut } from './cases/fan-out.ts'

const peers = (process.argv[2] ?? 'net,http,sse,better-sse').split(',')
const [readers, perTurn, turns] = (process.argv[3] ?? '1000,1,60').split(',').map(Number)
for (const peer of peers) {
  const r = await fanOut(peer, { readers: readers!, perTurn: perTurn!, turns: turns!, bytes: 100 })
  console.log(peer, r.cpu.toFixed(2), 'us/delivery', Math.round(r.deliveriesPerSecond))
}
