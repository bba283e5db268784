import { type Attributes, metrics } from '@opentelemetry/api';
import { type DataPoint, DataPointType, type Histogram, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import { GENEROUS, SHORT, storesMayTake } from '../../stores/patience.ts';
import { StillClock } from '../../support/clock.ts';
import { codeIn, idIn } from '../../support/codes.ts';
import { Elsewhere } from '../../support/elsewhere.ts';
import { RedisWorld } from '../../support/redis-world.ts';
import { until } from '../../support/until.ts';
import { type BrowserPerson, World } from '../../support/world.ts';

const METER = 'oidc-provider-qr-login';

describe('the metrics', () => {
  storesMayTake(GENEROUS);

  let reader: Reader;
  let meters: MeterProvider;

  beforeEach(() => {
    reader = new Reader();
    meters = new MeterProvider({ readers: [reader] });
    metrics.setGlobalMeterProvider(meters);
  });

  afterEach(async () => {
    metrics.disable();
    await meters?.shutdown();
  });

  it('count browsers, tickets and store accesses in their units, without data about users', async () => {
    const { store, elsewhere } = Elsewhere.keyv();
    const clock = new StillClock();
    await World.during({ store, clock }, async (world) => {
      const secrets = [...(await signIn(world, () => clock.forward(7))), ...(await deny(world))];
      const waiting = (await world.meet()).browser;
      secrets.push(waiting.uid);
      const stream = await waiting.events();
      await stream.ticket('waiting');
      expect(await reader.values('qr_login.waiting')).to.deep.equal([[{}, 1]]);
      stream.close();
      await until(async () => (await world.qr.health()).waiting === 0);
      const expired = world.nextEvent('qr_login.expired');
      clock.forward(121);
      await expired;
      const cancelled = (await world.meet()).browser;
      await cancelled.agent.post(`${cancelled.at}/cancel`, { json: {} });
      elsewhere.before = () => Promise.reject(new RangeError('the disk is full'));
      expect((await cancelled.agent.get(`${cancelled.at}/qr`)).status).to.equal(503);
      elsewhere.before = async () => undefined;

      expect(await reader.units()).to.deep.equal({
        'qr_login.waiting': '{browser}',
        'qr_login.tickets': '{ticket}',
        'qr_login.sign_in.duration': 's',
        'qr_login.notification.duration': 's',
        'qr_login.store.duration': 's',
      });
      expect(await reader.values('qr_login.waiting')).to.deep.equal([[{}, 0]]);
      expect(await reader.values('qr_login.tickets')).to.have.deep.members([
        [{ state: 'shown' }, 4],
        [{ state: 'finished' }, 1],
        [{ state: 'denied' }, 1],
        [{ state: 'expired' }, 1],
        [{ state: 'cancelled' }, 1],
      ]);
      await expectOne(reader, 'qr_login.sign_in.duration', 7);
      await expectOne(reader, 'qr_login.notification.duration', 0);

      const accesses = await reader.histograms('qr_login.store.duration');
      const names = accesses.map(({ attributes }) => attributes.operation);
      expect(names).to.include.members(['create', 'find', 'swap', 'upsert', 'claim', 'finish', 'destroy', 'ping']);
      for (const { attributes, value } of accesses) {
        expect(attributes.engine).to.equal('keyv');
        expect(value.sum ?? -1).to.be.within(0, (value.count * GENEROUS) / 1000);
      }
      const errors = accesses.filter(({ attributes }) => 'error.type' in attributes);
      expect(errors.map(({ attributes }) => attributes['error.type'])).to.include('RangeError');

      const attributes = await reader.attributes();
      expect(new Set(attributes.flatMap((set) => Object.keys(set)))).to.have.keys(
        'state',
        'engine',
        'operation',
        'error.type',
      );
      for (const secret of ['a11ce', 'b0b', 'test-rp', 'Alice', ...secrets]) {
        expect(secret).to.be.a('string').and.not.equal('');
        expect(JSON.stringify(attributes).includes(secret), secret).to.equal(false);
      }
    });
  });

  it('measure accesses to Redis, including late ones, and the notification of a long poll', async () => {
    await RedisWorld.during({}, async (there) => {
      const { browser, phone } = await there.world.meet();
      await phone.scan(await browser.code());
      const polled = browser.after(2);
      await there.untilWaiting(1);
      await phone.approve();
      expect((await polled).state).to.equal('approved');
      await expectOne(reader, 'qr_login.notification.duration');
      there.pause();
      expect((await browser.agent.get(`${browser.at}/qr`)).status).to.equal(503);
      await there.resume();

      const accesses = await reader.histograms('qr_login.store.duration');
      expect(new Set(accesses.map(({ attributes }) => attributes.engine))).to.have.keys('redis');
      const late = accesses.filter(({ attributes }) => attributes['error.type'] === 'TooLate');
      expect(late).to.have.length.of.at.least(1);
      // The value is in seconds. Timers count whole milliseconds, so they may be early by one.
      expect(late[0]?.value.max ?? 0).to.be.within((SHORT - 1) / 1000, 60);
    });
  });

  it('count one notification for each approval and browser, and none after a wrong check code', async () => {
    const clock = new StillClock();
    await World.during({ clock, qrLogin: { assess: () => 'check code' } }, async (world) => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      const stream = await browser.events();
      await stream.ticket('scanned');
      const checkCode = String((await phone.approve()).json().checkCode);
      const { version } = await stream.ticket('approved');
      await expectOne(reader, 'qr_login.notification.duration', 0);

      const polled = browser.after(version);
      await until(async () => (await world.qr.health()).waiting === 2);
      clock.forward(30);
      expect((await browser.finish(otherThan(checkCode))).status).to.equal(403);
      for (const ticket of [await stream.ticket(), await polled]) {
        expect(ticket.state).to.equal('approved');
        expect(ticket.version).to.be.greaterThan(Number(version));
      }
      await expectOne(reader, 'qr_login.notification.duration', 0);
      stream.close();
    });
  });

  it('count a sign-in once if the browser sends three finish requests at the same time', async () => {
    await World.during({}, async (world) => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      await phone.approve();
      await Promise.all([browser.finish(), browser.finish(), browser.finish()]);
      expect(await reader.values('qr_login.tickets')).to.have.deep.members([
        [{ state: 'shown' }, 1],
        [{ state: 'finished' }, 1],
      ]);
    });
  });
});

describe('without an OpenTelemetry SDK', () => {
  it('a sign-in works as usual', async () => {
    metrics.disable();
    await World.during({}, async (world) => {
      await signIn(world);
      expect((await world.qr.health()).waiting).to.equal(0);
    });
  });
});

/** Reads the metrics on demand. */
class Reader extends MetricReader {
  protected override onForceFlush = async (): Promise<void> => undefined;
  protected override onShutdown = async (): Promise<void> => undefined;

  /** Returns the units of all metrics of this package, by name. */
  async units(): Promise<Record<string, string>> {
    return Object.fromEntries((await this.#all()).map(({ descriptor: { name, unit } }) => [name, unit]));
  }

  async attributes(): Promise<Attributes[]> {
    return (await this.#all()).flatMap(({ dataPoints }) => dataPoints.map(({ attributes }) => attributes));
  }

  /** Returns the values of a counter, with their attributes. */
  async values(name: string): Promise<[Attributes, number][]> {
    const found = (await this.#all()).find(({ descriptor }) => descriptor.name === name);
    if (found?.dataPointType !== DataPointType.SUM) throw new Error(`there is no counter ${name}`);
    return found.dataPoints.map(({ attributes, value }) => [attributes, value]);
  }

  async histograms(name: string): Promise<DataPoint<Histogram>[]> {
    const found = (await this.#all()).find(({ descriptor }) => descriptor.name === name);
    if (found?.dataPointType !== DataPointType.HISTOGRAM) throw new Error(`there is no histogram ${name}`);
    return found.dataPoints;
  }

  async #all() {
    const { resourceMetrics, errors } = await this.collect();
    expect(errors).to.deep.equal([]);
    return resourceMetrics.scopeMetrics.filter(({ scope }) => scope.name === METER).flatMap(({ metrics }) => metrics);
  }
}

/** Expects that a histogram has one value without attributes. If `seconds` is given, the value must be equal to it. */
async function expectOne(reader: Reader, name: string, seconds?: number): Promise<void> {
  const points = await reader.histograms(name);
  expect(
    points.map(({ attributes, value }) => [attributes, value.count]),
    name,
  ).to.deep.equal([[{}, 1]]);
  if (seconds === undefined) expect(points[0]?.value.sum, name).to.be.at.least(0);
  else expect(points[0]?.value.sum, name).to.equal(seconds);
}

/**
 * Signs in a browser that waits on a stream.
 * @param wait lets time pass before the scan
 * @returns the secrets of the sign-in, which must not be in the metrics
 */
async function signIn(world: World, wait: () => void = () => undefined): Promise<string[]> {
  const { browser, phone } = await world.meet();
  const code = await browser.code();
  const stream = await browser.events();
  wait();
  await phone.scan(code);
  await stream.ticket('scanned');
  await phone.approve();
  await stream.ticket('approved');
  expect((await browser.tokens(await browser.arrive())).claims()?.sub).to.equal('a11ce');
  stream.close();
  await until(async () => (await world.qr.health()).waiting === 0);
  return secretsOf(browser, code);
}

async function deny(world: World): Promise<string[]> {
  const { browser, phone } = await world.meet('bob');
  const code = await browser.code();
  await phone.scan(code);
  await phone.deny();
  await browser.finish();
  return secretsOf(browser, code);
}

function otherThan(checkCode: string): string {
  return checkCode === '000000' ? '000001' : '000000';
}

function secretsOf({ uid }: BrowserPerson, code: string): string[] {
  return [uid, code, codeIn(code), idIn(code)];
}
