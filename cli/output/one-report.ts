import { type Report, reportSchema } from '../../telemetry/report.ts';
import { withIsoTimes } from './iso-times.ts';
import { json } from './machine.ts';

export { reportTable as asTable } from './report-table.ts';

export function asJson(report: Report): string {
  return json(withIsoTimes(report, reportSchema));
}
