/** The one file of kafkajs that is reached behind its entry point: see timer-cure.ts. */
declare module 'kafkajs/src/network/requestQueue/index.js' {
  const RequestQueue: { prototype: Record<string, unknown> };
  export default RequestQueue;
}
