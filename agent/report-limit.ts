import { encode } from '../telemetry/codec.ts';
import { type Container, MAX_REPORT_BYTES, type Report } from '../telemetry/report.ts';

/** What a claim of 16 ranges and 16 earlier runs takes: it is filled in anew until the report is sent. */
const CLAIM_BYTES = 4096;

/** What a report may take when it is made. */
export const REPORT_ROOM_BYTES = MAX_REPORT_BYTES - CLAIM_BYTES;

/** Labels are cut to these lengths, in characters, one after the other until the report fits. */
const LABEL_LENGTHS = [63, 31, 15];

/** Sections whose texts are labels for people. Who speaks, rails and the claim are never touched. */
const LABELLED = ['temperature', 'storage', 'network', 'docker', 'self'] as const;

/** Of `,"leftOutContainers":1234567`. */
const COUNT_BYTES = 32;

/**
 * The encoded report, at most `maxBytes` long if that can be had. What has no room is left out in this order:
 * containers that don't run, then those that use the least processor time, then the ends of long labels. The report
 * says how many containers it leaves out; how many run stays true. One that fits is encoded once and not looked at.
 */
export function encodeWithin(report: Report, maxBytes: number = REPORT_ROOM_BYTES): Buffer {
  let body = encode(report);
  if (body.length <= maxBytes) return body;
  let shorter = leaveOutContainers(report, body.length - maxBytes);
  body = encode(shorter);
  for (const most of LABEL_LENGTHS) {
    if (body.length <= maxBytes) break;
    shorter = cutLabels(shorter, most);
    body = encode(shorter);
  }
  return body;
}

function leaveOutContainers(report: Report, excessBytes: number): Report {
  const { docker } = report;
  if (!docker?.containers?.length) return report;
  const out = new Set<Container>();
  let freedBytes = -COUNT_BYTES;
  for (const container of docker.containers.toSorted(leastWantedFirst)) {
    if (freedBytes >= excessBytes) break;
    out.add(container);
    freedBytes += Buffer.byteLength(JSON.stringify(container)) + 1;
  }
  const containers = docker.containers.filter((container) => !out.has(container));
  const leftOutContainers = (docker.leftOutContainers ?? 0) + out.size;
  return { ...report, docker: { ...docker, containers, leftOutContainers } };
}

function leastWantedFirst(a: Container, b: Container): number {
  return (
    Number(a.state === 'running') - Number(b.state === 'running') ||
    (a.cpuUsageRatio ?? 0) - (b.cpuUsageRatio ?? 0) ||
    (a.memoryBytes ?? 0) - (b.memoryBytes ?? 0) ||
    (a.id < b.id ? -1 : 1)
  );
}

function cutLabels(report: Report, most: number): Report {
  const cut: Record<string, unknown> = {};
  for (const name of LABELLED) if (report[name]) cut[name] = withShortTexts(report[name], most);
  return { ...report, ...cut };
}

function withShortTexts(value: unknown, most: number): unknown {
  if (typeof value === 'string') return shortened(value, most);
  if (Array.isArray(value)) return value.map((element) => withShortTexts(element, most));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withShortTexts(inner, most)]));
}

/** Cut between characters, never within one; the sign at the end says that it is cut. */
function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  const kept = text.slice(0, most - 1);
  return `${kept.isWellFormed() ? kept : kept.slice(0, -1)}…`;
}
