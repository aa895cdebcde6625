import { StringDecoder } from 'node:string_decoder';

/** An event with all labels of its container stays far below; what has no line end by then is no event stream. */
const LONGEST_LINE = 1024 * 1024;

/**
 * What the engine is asked to tell: the life of containers, and nodes joining a swarm. Each check of a container's
 * health makes three further events (exec_create, exec_start, exec_die), which stay in the engine.
 */
export const EVENT_FILTERS = {
  type: ['container', 'node'],
  event: ['create', 'start', 'restart', 'die', 'pause', 'unpause', 'rename', 'update', 'destroy', 'health_status'],
};

/** What has changed. */
export interface EngineEvent {
  kind: 'container' | 'container-gone' | 'swarm';
  /** Of the container. */
  id: string;
}

/** Lines out of the chunks of a stream, which end wherever the kernel cut them, within a character, too. */
export class LineBuffer {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  /** The lines that this chunk completes. Throws if one never ends. */
  push(chunk: Buffer): string[] {
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > LONGEST_LINE) throw new Error(`a line of more than ${LONGEST_LINE} characters`);
    return lines.filter((line) => line.trim() !== '');
  }
}

/** Undefined for what concerns nobody here. Throws for a line that is no event: then nothing after it can be trusted. */
export function parseEvent(line: string): EngineEvent | undefined {
  const event = JSON.parse(line) as { Type?: unknown; Action?: unknown; Actor?: { ID?: unknown } } | null;
  if (event?.Type === 'node') return { kind: 'swarm', id: '' };
  const id = event?.Actor?.ID;
  if (event?.Type !== 'container' || typeof id !== 'string' || id === '') return undefined;
  return { kind: event.Action === 'destroy' ? 'container-gone' : 'container', id };
}
