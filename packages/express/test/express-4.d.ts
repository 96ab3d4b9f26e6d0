/** Express 4, of whose types those of Express 5 are close enough. */
declare module 'express-4' {
  import express from 'express'
  export default express
}
