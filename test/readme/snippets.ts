/** A block of code in a Markdown document. */
export interface Snippet {
  /** Its file name, from a comment on its first line (`// server.ts`), by which the others of the document import it. */
  readonly name: string
  /** The line of the document on which its code begins. */
  readonly line: number
  readonly code: string
}

/** The `ts` and `tsx` blocks of a document. One that is no code to be compiled is fenced otherwise, as `text` or `diff`. */
export function snippets(markdown: string): Snippet[] {
  return [...markdown.matchAll(/^```(tsx?)\n([\s\S]*?)^```$/gm)].map(
    ([fence, language, code = ''], index) => ({
      name: /^\/\/ ([\w-]+\.tsx?)\b/.exec(code)?.[1] ?? `snippet-${index + 1}.${language}`,
      line: markdown.slice(0, markdown.indexOf(fence)).split('\n').length + 1,
      code,
    }),
  )
}
