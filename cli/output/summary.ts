import { ageInWords } from '../../telemetry/status-sentence.ts';

/** What one run of `ericht start` did: the JSON document that it ends with. */
export interface StartSummary {
  schemaVersion: number;
  nodes: number;
  reports: {
    sampled: number;
    acknowledged: number;
    /** Counted in the store after the stop, like all that follow but notSent. */
    stored: number;
    deadLettered: number;
    overflowed: number;
    notSent: number;
    lost: number;
    duplicates: number;
    /** Over Kafka only: acknowledged, and given the minute in which it may still be stored. */
    onItsWay?: number;
  };
  dataDir: string;
}

/** The same in words. */
export function summarySentence({ nodes, reports }: StartSummary, ranMs: number, place: string): string {
  const { sampled, stored, notSent, lost, duplicates, deadLettered, onItsWay } = reports;
  const parts = [
    `${sampled} reports of ${nodes} ${nodes === 1 ? 'node' : 'nodes'} in ${ageInWords(ranMs)}`,
    `${stored} stored`,
    ...(onItsWay ? [`${onItsWay} on their way`] : []),
    ...(notSent > 0 ? [`${notSent} not sent`] : []),
    ...(deadLettered > 0 ? [`${deadLettered} dead letters`] : []),
    `${lost} lost`,
    `${duplicates} duplicates`,
  ];
  return `${parts.join(', ')}. They are kept in ${place}.\n`;
}
