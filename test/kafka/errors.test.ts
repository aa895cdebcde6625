import kafkajs from 'kafkajs';
import { test } from 'tap';
import { classifyKafkaError, isFenced, kafkaErrorType } from '../../kafka/errors.ts';
import { ErichtError } from '../../lib/errors.ts';

const { KafkaJSConnectionError, KafkaJSNonRetriableError, KafkaJSNumberOfRetriesExceeded } = kafkajs;
const { KafkaJSProtocolError, KafkaJSSASLAuthenticationError } = kafkajs;

// The types of kafkajs are behind what its constructors take.
// biome-ignore lint/suspicious/noExplicitAny: see above
const make = (Class: any, ...args: unknown[]): Error => new Class(...args);

const protocol = (type: string, retriable = false) =>
  make(KafkaJSProtocolError, { type, retriable, message: `says ${type}` });

const wrapped = (error: Error) =>
  make(KafkaJSNonRetriableError, make(KafkaJSNumberOfRetriesExceeded, error, { retryCount: 5, retryTime: 1 }), {
    cause: make(KafkaJSNumberOfRetriesExceeded, error, { retryCount: 5, retryTime: 1 }),
  });

const cases: [string, Error, string, boolean][] = [
  [
    'a broker that is away',
    make(KafkaJSConnectionError, 'refused', { code: 'ECONNREFUSED' }),
    'KAFKA_UNREACHABLE',
    true,
  ],
  ['a leader that moved', protocol('NOT_LEADER_FOR_PARTITION', true), 'KAFKA_UNREACHABLE', true],
  ['too few replicas', protocol('NOT_ENOUGH_REPLICAS', true), 'KAFKA_UNREACHABLE', true],
  ['a wrong password', make(KafkaJSSASLAuthenticationError, 'no'), 'KAFKA_UNAUTHORISED', true],
  ['a missing right to a topic', protocol('TOPIC_AUTHORIZATION_FAILED'), 'KAFKA_UNAUTHORISED', true],
  ['a missing right to a group', protocol('GROUP_AUTHORIZATION_FAILED'), 'KAFKA_UNAUTHORISED', true],
  ['a topic that is not there', protocol('UNKNOWN_TOPIC_OR_PARTITION', true), 'KAFKA_TOPIC_MISSING', true],
  ["a topic that trusts the sender's clock", protocol('INVALID_TIMESTAMP'), 'KAFKA_TOPIC_MISSING', true],
  ['a record that is too large', protocol('MESSAGE_TOO_LARGE'), 'KAFKA_RECORD_REFUSED', false],
  ['a record that is invalid', protocol('INVALID_RECORD'), 'KAFKA_RECORD_REFUSED', false],
  ["a TypeError of kafkajs's own", new TypeError('Cannot read nodeId of undefined'), 'KAFKA_UNREACHABLE', true],
];

for (const [title, error, code, retryable] of cases) {
  test(`${title} is ${code}, bare and as kafkajs wraps it`, async (t) => {
    for (const each of [error, wrapped(error)]) {
      const result = classifyKafkaError(each, 'cannot send');
      t.match(result, { code, retryable, what: 'cannot send' });
      t.equal(result.cause, each);
    }
  });
}

test('a certificate that is not believed is told from a broker that is away', async (t) => {
  const error = make(KafkaJSConnectionError, 'no', { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
  t.match(classifyKafkaError(wrapped(error), 'it'), { code: 'KAFKA_UNREACHABLE', next: /kafka\.tls\.ca/ });
});

test('a login where the broker takes none speaks of the port and not of the user', async (t) => {
  t.match(classifyKafkaError(wrapped(protocol('ILLEGAL_SASL_STATE')), 'it'), {
    code: 'KAFKA_UNAUTHORISED',
    next: /takes no logins: name another in kafka\.brokers, or remove kafka\.sasl/,
  });
});

test('a group that another program holds is told from a broker that is away', async (t) => {
  t.match(classifyKafkaError(wrapped(protocol('INCONSISTENT_GROUP_PROTOCOL')), 'it'), {
    code: 'KAFKA_UNREACHABLE',
    next: /another program uses this group/,
  });
});

test('an error that is already ours stays as it is', async (t) => {
  const ours = new ErichtError('STOPPED', { what: 'it' });
  t.equal(classifyKafkaError(ours, 'else'), ours);
});

test('anything thrown can be classified', async (t) => {
  for (const thrown of [undefined, null, 'text', 7, {}]) {
    t.equal(classifyKafkaError(thrown, 'it').code, 'KAFKA_UNREACHABLE');
  }
});

test('a commit of a former generation is told from a commit that failed', async (t) => {
  for (const type of ['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'REBALANCE_IN_PROGRESS']) {
    t.ok(isFenced(wrapped(protocol(type))), type);
    t.equal(kafkaErrorType(wrapped(protocol(type))), type);
  }
  t.notOk(isFenced(protocol('NOT_COORDINATOR_FOR_GROUP', true)));
  t.notOk(isFenced(new Error('else')));
});
