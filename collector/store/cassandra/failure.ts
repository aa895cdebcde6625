import { errors, types } from 'cassandra-driver';
import { ErichtError, reasonOf } from '../../../lib/errors.ts';

const { responseErrorCodes: codes } = types;

/** The server looked at this request and will never take it, or the driver could not even encode it. */
const REFUSALS: readonly number[] = [codes.syntaxError, codes.invalid, codes.configError];

const OVERLOADED: readonly number[] = [
  codes.serverError,
  codes.overloaded,
  codes.isBootstrapping,
  codes.truncateError,
  codes.writeTimeout,
  codes.readTimeout,
  codes.readFailure,
  codes.writeFailure,
];

/** A request that is refused because the tables are not there says nothing about its row. */
const MISSING_TABLE = /unconfigured table|keyspace .*does not exist|undefined column name|unknown identifier/i;

/** Whether a write failed because of what was in it: the same again would fail again. */
export function isRefusal(error: unknown): boolean {
  if (error instanceof errors.ResponseError) {
    return REFUSALS.includes(error.code) && !MISSING_TABLE.test(error.message);
  }
  return error instanceof TypeError || error instanceof RangeError || error instanceof errors.VIntOutOfRangeException;
}

/** What to tell of a failed request; `where` is "Cassandra at 10.0.0.1:9042". */
export function storeFailure(error: unknown, where: string): ErichtError {
  if (error instanceof ErichtError) return error;
  if (error instanceof errors.NoHostAvailableError) return noHost(error, where);
  const why = reasonOf(error);
  if (error instanceof errors.AuthenticationError) return unauthorised(why, where, error);
  if (error instanceof errors.OperationTimedOutError || error instanceof errors.BusyConnectionError) {
    return new ErichtError('STORE_OVERLOADED', { what: `${where} does not answer in time`, why, cause: error });
  }
  if (error instanceof errors.ResponseError) {
    if (error.code === codes.unauthorized || error.code === codes.badCredentials) {
      return unauthorised(why, where, error);
    }
    if (error.code === codes.unavailableException) return unreachable(why, where, error);
    if (OVERLOADED.includes(error.code)) {
      return new ErichtError('STORE_OVERLOADED', { what: `${where} could not finish a request`, why, cause: error });
    }
    if (MISSING_TABLE.test(why)) {
      return new ErichtError('STORE_UNREACHABLE', {
        what: `tables are missing in ${where}`,
        why,
        next: 'restart a collector: it makes them',
        cause: error,
      });
    }
    return new ErichtError('STORE_ROW_REFUSED', { what: `${where} refused a request`, why, cause: error });
  }
  return unreachable(why, where, error);
}

/** The driver tried every host; what each of them said decides. */
function noHost(error: errors.NoHostAvailableError, where: string): ErichtError {
  const inner = Object.values((error.innerErrors ?? {}) as Record<string, unknown>);
  const refusedLogin = inner.find(
    (one) =>
      one instanceof errors.AuthenticationError ||
      (one instanceof errors.ResponseError && one.code === codes.badCredentials),
  );
  if (refusedLogin) return unauthorised(reasonOf(refusedLogin), where, error);
  if (inner.length > 0 && inner.every((one) => one instanceof errors.BusyConnectionError)) {
    return new ErichtError('STORE_OVERLOADED', { what: `${where} has too many requests under way`, cause: error });
  }
  const first = inner[0];
  return unreachable(first === undefined ? 'no host is up' : reasonOf(first), where, error);
}

function unreachable(why: string, where: string, cause: unknown): ErichtError {
  return new ErichtError('STORE_UNREACHABLE', {
    what: `cannot reach ${where}`,
    why,
    next: 'start it with npm run stack, or set stores.cassandra.contactPoints',
    cause,
  });
}

function unauthorised(why: string, where: string, cause: unknown): ErichtError {
  return new ErichtError('STORE_UNAUTHORISED', {
    what: `${where} does not let this user in`,
    why,
    next: 'check the user name, the password file and what the role is granted',
    cause,
  });
}
