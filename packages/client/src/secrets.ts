/** A text without the queries, fragments and credentials of urls: they may carry tokens, and error messages end up in logs. */
export const withoutSecrets = (text: string): string => text.replace(/[?#].*|[^\s/]*@/gs, '')
