import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { calculateJwkThumbprint, decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { AuditLog, isSignedDecision, readAuditLog, readAuditPage, type VerifiedLine } from '../../src/audit/index.ts';
import type { DecisionRecord } from '../../src/index.ts';
import { AppPerson } from '../support/app.ts';
import { BrowserPerson, World } from '../support/world.ts';

describe('an audit log', () => {
  let folder: string;
  let path: string;
  let files = 0;
  /** Decisions that an app has signed. */
  const records: DecisionRecord[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'qr-login-audit-'));
    path = join(folder, 'decided.jsonl');
    const log = await AuditLog.open(path);
    const qrLogin = { signedDecisions: true, onDecision: log.onDecision };
    await World.during({ qrLogin }, async (world) => {
      const app = await new AppPerson(world).signIn();
      for (const decision of ['deny', 'approve', 'deny']) {
        const browser = new BrowserPerson(world);
        await browser.start();
        await app.scan(await browser.code());
        expect((await app.decide(decision, { signature: await app.sign(decision) })).status).to.equal(200);
      }
    });
    await log.close();
    for await (const { record } of readAuditLog(path)) if (record !== undefined) records.push(record);
  });

  beforeEach(() => {
    files += 1;
    path = join(folder, `${files}.jsonl`);
  });

  after(() => rm(folder, { recursive: true, force: true }));

  async function write(...added: readonly DecisionRecord[]): Promise<string> {
    const log = await AuditLog.open(path);
    for (const record of added) await log.append(record);
    await log.close();
    return log.head;
  }

  async function verified(): Promise<VerifiedLine[]> {
    const lines: VerifiedLine[] = [];
    for await (const line of readAuditLog(path)) lines.push(line);
    return lines;
  }

  const problems = async (): Promise<unknown[]> => (await verified()).map(({ problem }) => problem ?? 'none');
  const lines = async (): Promise<string[]> => (await readFile(path, 'utf8')).trimEnd().split('\n');

  it('stores decisions that apps have signed, and proves them later', async () => {
    expect(records.map(({ decision }) => decision)).to.deep.equal(['deny', 'approve', 'deny']);
    const head = await write(...records);
    expect(await problems()).to.deep.equal(['none', 'none', 'none']);
    expect((await verified()).at(-1)?.hash).to.equal(head);
    expect((await stat(path)).mode & 0o777).to.equal(0o640);
  });

  it('is empty at first', async () => {
    expect(await write()).to.equal('');
    expect(await problems()).to.deep.equal([]);
  });

  it('is read in pages, the latest lines first', async () => {
    const [record] = records as [DecisionRecord];
    await write(...Array.from({ length: 1_000 }, () => record));
    const pages: number[][] = [];
    let before: number | undefined;
    do {
      const { lines, next } = await readAuditPage(path, { limit: 300, ...(before !== undefined && { before }) });
      expect(lines.filter(({ problem }) => problem !== undefined)).to.deep.equal([]);
      pages.push([lines[0]?.line ?? 0, lines.at(-1)?.line ?? 0, lines.length]);
      before = next;
    } while (before !== undefined);
    expect(pages).to.deep.equal([
      [1_000, 701, 300],
      [700, 401, 300],
      [400, 101, 300],
      [100, 1, 100],
    ]);
  });

  it('has records that can be verified one by one, wherever they are kept', async () => {
    const [record] = records as [DecisionRecord];
    expect(await isSignedDecision(record)).to.equal(true);
    for (const changes of [
      { decision: 'approve' },
      { ticket: 'another' },
      { time: record.time + 1 },
      { signature: '' },
    ])
      expect(await isSignedDecision({ ...record, ...changes }), JSON.stringify(changes)).to.equal(false);
  });

  it('continues at its end when it is opened again, even after many decisions', async () => {
    const [record] = records as [DecisionRecord];
    await write(...Array.from({ length: 60 }, () => record));
    await write(record);
    await write(record, record);
    expect((await problems()).filter((problem) => problem !== 'none')).to.deep.equal([]);
    expect(await verified()).to.have.length(63);
  });

  it('writes concurrent decisions one after the other', async () => {
    const log = await AuditLog.open(path);
    await Promise.all([...records, ...records].map((record) => log.append(record)));
    await log.close();
    expect(await problems()).to.deep.equal(Array(6).fill('none'));
  });

  it('reveals a line that was changed, removed, moved or added', async () => {
    await write(...records);
    const [one = '', two = '', three = ''] = await lines();
    const changed = two.replace('"approve"', '"deny"');
    const cases: Readonly<Record<string, readonly [lines: readonly string[], problems: readonly string[]]>> = {
      changed: [
        [one, changed, three],
        ['none', 'signature', 'chain'],
      ],
      removed: [
        [one, three],
        ['none', 'chain'],
      ],
      moved: [
        [one, three, two],
        ['none', 'chain', 'chain'],
      ],
      repeated: [
        [one, two, two, three],
        ['none', 'none', 'chain', 'none'],
      ],
      first: [
        [two, three],
        ['chain', 'none'],
      ],
      damaged: [
        [one, two.slice(0, -5), three],
        ['none', 'torn', 'chain'],
      ],
    };
    for (const [name, [written, expected]] of Object.entries(cases)) {
      await writeFile(path, `${written.join('\n')}\n`);
      expect(await problems(), name).to.deep.equal(expected);
    }
  });

  it('reveals by its head (the hash of its last line) that lines were removed from its end', async () => {
    const head = await write(...records);
    await writeFile(path, `${(await lines()).slice(0, 2).join('\n')}\n`);
    const left = await verified();
    expect(left.map(({ problem }) => problem)).to.deep.equal([undefined, undefined]);
    expect(left.some(({ hash }) => hash === head)).to.equal(false);
  });

  it('reveals a record that differs from the content that the app has signed', async () => {
    const [, approved] = records as [DecisionRecord, DecisionRecord];
    const jwk = await exportJWK((await generateKeyPair('ES256')).publicKey);
    const forged: readonly DecisionRecord[] = [
      { ...approved, decision: 'deny' },
      { ...approved, remember: true },
      { ...approved, client: { ...approved.client, id: 'other' } },
      { ...approved, browser: { name: 'Firefox' } },
      { ...approved, time: approved.time + 1 },
      { ...approved, ticket: 'other' },
      { ...approved, keyId: 'other' },
      { ...approved, jwk },
      { ...approved, signature: 'none' },
    ];
    await write(...forged, approved);
    expect(await problems()).to.deep.equal([...forged.map(() => 'signature'), 'none']);
  });

  it("requires that the app's signature had not expired when the provider received the decision", async () => {
    const [, approved] = records as [DecisionRecord, DecisionRecord];
    const keys = await generateKeyPair('ES256');
    const jwk = await exportJWK(keys.publicKey);
    const signature = await new SignJWT(decodeJwt(approved.signature))
      .setProtectedHeader({ alg: 'ES256', typ: 'qr-decision+jwt' })
      .setExpirationTime(approved.time + 60)
      .sign(keys.privateKey);
    const record = { ...approved, signature, jwk, keyId: await calculateJwkThumbprint(jwk) };
    await write({ ...record, at: approved.time * 1000 }, { ...record, at: (approved.time + 3600) * 1000 });
    expect(await problems()).to.deep.equal(['none', 'signature']);
  });

  it('continues after a line that was only partly written', async () => {
    const [one, two] = records as [DecisionRecord, DecisionRecord];
    await write(one);
    await appendFile(path, '{"previous":"abc","rec');
    await write(two);
    expect(await problems()).to.deep.equal(['none', 'torn', 'none']);
  });

  it('refuses to write if another process writes to the same file', async () => {
    const [record] = records as [DecisionRecord];
    const [log, other] = await Promise.all([AuditLog.open(path), AuditLog.open(path)]);
    await log.append(record);
    const refused = await other.append(record).catch((error: Error) => error.message);
    expect(refused).to.include('give each process an audit log of its own');
    await log.append(record);
    await Promise.all([log.close(), other.close()]);
    expect(await problems()).to.deep.equal(['none', 'none']);
  });

  it('fails if the disk is full, and if the file cannot be opened', async () => {
    const [record] = records as [DecisionRecord];
    const full = await AuditLog.open('/dev/full');
    for (let tries = 0; tries < 2; tries += 1) {
      expect(await full.append(record).catch((error: { code: string }) => error.code)).to.equal('ENOSPC');
    }
    await full.close();
    const missing = join(folder, 'missing', 'log.jsonl');
    expect(await AuditLog.open(missing).catch((error: { code: string }) => error.code)).to.equal('ENOENT');
  });
});
