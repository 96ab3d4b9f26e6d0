import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { KEPT, listening, type StartPeer, type Usage } from '../peer.ts'

const MODULE = '/usr/lib/nginx/modules/ngx_nchan_module.so'

const configuration = (port: number): string => `
load_module ${MODULE};
daemon off; master_process off; pid nginx.pid; error_log /dev/null;
worker_rlimit_nofile 20000;
# With fewer than a sixteenth of its connections free, nginx would close some that it has just accepted.
events { worker_connections 24000; }
http {
  access_log off;
  keepalive_requests 1000000000; keepalive_timeout 1h;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  nchan_max_reserved_memory 1024M;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = /publish { nchan_publisher; nchan_channel_id news; nchan_message_buffer_length ${KEPT}; nchan_message_timeout 5m; }
    location = /events { nchan_subscriber eventsource; nchan_channel_id news; nchan_subscriber_first_message newest; }
  }
}`

/** nginx runs as one process with one thread, so that the figures of the thread are those of the process. */
function usageOf(pid: number): Usage {
  const [nanoseconds] = readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
  const rss = Number(kilobytes) * 1024
  return { cpuMicroseconds: Number(nanoseconds) / 1000, rss, held: rss }
}

/** nchan, an nginx module in C: one worker, published to over one HTTP connection that is kept open. */
export const start: StartPeer = async () => {
  if (!existsSync(MODULE)) throw new Error('nchan is not installed')
  const probe = createServer()
  const port = await listening(probe)
  probe.close()
  const folder = mkdtempSync(join(tmpdir(), 'bench-nchan-'))
  writeFileSync(join(folder, 'nginx.conf'), configuration(port))
  const nginx = spawn('nginx', ['-p', folder, '-c', 'nginx.conf'], { stdio: 'ignore' })
  process.once('exit', () => {
    nginx.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  const publisher = await reach(port)
  publisher.on('error', () => {})
  let answered = (): void => {}
  publisher.on('data', (answers) => {
    if (answers.includes('404 Not Found')) answered()
  })
  const settled = (): Promise<void> =>
    new Promise((resolve) => {
      answered = resolve
      // Answered last, and by another status (404) than the publishes.
      publisher.write('GET /settled HTTP/1.1\r\nHost: bench\r\n\r\n')
    })
  return {
    port,
    publish(payload) {
      const body = JSON.stringify(payload)
      publisher.write(
        `POST /publish HTTP/1.1\r\nHost: bench\r\nX-EventSource-Event: news\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      )
    },
    cursor: async () => {
      publisher.write('POST /publish HTTP/1.1\r\nHost: bench\r\nContent-Length: 5\r\n\r\nfirst')
      await settled()
      return lastId(port)
    },
    usage: () => usageOf(nginx.pid ?? 0),
    settled,
  }
}

/** Connects as soon as the server listens. */
async function reach(port: number, tries = 100): Promise<ReturnType<typeof connect>> {
  const socket = connect(port, '127.0.0.1')
  const connected = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
  })
  if (connected) return socket
  if (tries === 0) throw new Error('nginx did not start')
  await wait(20)
  return reach(port, tries - 1)
}

/** The id of the newest message. */
function lastId(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: '/publish', agent: false }, async (response) => {
      let text = ''
      for await (const chunk of response) text += chunk
      const id = /last message id: (\S+)/.exec(text)?.[1]
      if (id === undefined) reject(new Error('nchan reported no last message'))
      else resolve(id)
    }).on('error', reject)
  })
}
