import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ForeignServer, startServer } from './process.ts'

const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  .map((name) => `${name}_temp_path ${name};`)
  .join(' ')

/**
 * nginx as it is installed, in front of a server: it buffers responses, speaks HTTP/1.0 to the server, and gives up on one
 * that is silent for a minute.
 *
 * @param directives - what is otherwise
 */
export async function startNginx(target: string, directives = ''): Promise<ForeignServer> {
  const folder = mkdtempSync(join(tmpdir(), 'sse-nginx-'))
  const server = await startServer((port) => {
    writeFileSync(
      join(folder, 'nginx.conf'),
      `daemon off; master_process off; pid nginx.pid; error_log stderr;
events {}
http {
  access_log off; ${temporary}
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass ${target}; ${directives} }
  }
}`,
    )
    return { program: '/usr/sbin/nginx', args: ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr'] }
  })
  return {
    origin: server.origin,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
