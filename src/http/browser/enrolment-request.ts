import type { Provider } from '../../oidc/provider.ts';
import { toReadableText } from '../../oidc/request/readable-text.ts';
import { type BrowserKey, readBrowserKey, thumbprintOf } from '../../ticket/browsers/browser-key.ts';
import { hasSignedEnrolment } from '../../ticket/browsers/enrolment.ts';
import { notFound, QrLoginError } from '../../ticket/errors.ts';
import type { Clock } from '../../ticket/ports.ts';
import type { SecretKeys } from '../../ticket/secret-keys.ts';
import type { ActionRequests } from '../actions/action-requests.ts';
import { toDetails } from '../actions/action-texts.ts';
import { noncesOf } from '../hooks/approve-guard.ts';
import type { Language } from '../pages/language.ts';
import type { PageRenderer } from '../pages/renderer.ts';
import { describeUserAgent } from '../request/client-info.ts';
import type { DeviceDescriber } from '../request/device.ts';
import type { Urls } from '../request/urls.ts';
import type { BrowserRequest, PromptForm } from './browser-request.ts';

/** The most characters of the place in the details. A line that is too long would be refused. */
const MAX_PLACE = 50;

export interface EnrolmentRequestPorts {
  readonly provider: Provider;
  readonly actionRequests: Pick<ActionRequests, 'requestEnrolment'>;
  readonly devices: DeviceDescriber;
  readonly renderer: Pick<PageRenderer, 'languageOf'>;
  readonly keys: SecretKeys;
  readonly clock: Clock;
  readonly urls: Urls;
  readonly settings: { readonly enrolByPhone: boolean };
}

/** Asks the phone to enrol the browser that shows a code. It is an action that takes a passkey and the digits. */
export class EnrolmentRequests {
  readonly #ports: EnrolmentRequestPorts;

  constructor(ports: EnrolmentRequestPorts) {
    this.#ports = ports;
  }

  /** Returns the challenge for the key of this browser; undefined if browsers cannot ask the phone to enrol them. */
  offer(request: BrowserRequest): string | undefined {
    return this.#ports.settings.enrolByPhone ? this.#nonces(request)[0] : undefined;
  }

  /**
   * Returns the key of the browser, which has signed the challenge of its page.
   * @throws QrLoginError `not_found` where phones enrol no browsers, `invalid_request`, `wrong_proof`
   */
  readKey(form: PromptForm<'login'>): BrowserKey {
    if (!this.#ports.settings.enrolByPhone) throw notFound();
    const { key = '', signature = '' } = form.fields;
    const publicKey = readBrowserKey(key);
    if (hasSignedEnrolment(publicKey, this.#nonces(form), signature)) return publicKey;
    throw new QrLoginError('wrong_proof', 'The key must sign the challenge of this page.');
  }

  /** Asks for the approval. @returns the URL of the page that shows its code */
  async ask(form: BrowserRequest, key: BrowserKey, locales: readonly string[]): Promise<string> {
    const { actionRequests, renderer, urls } = this.#ports;
    const { ctx, interaction } = form;
    const language = renderer.languageOf(ctx, locales);
    const action = await actionRequests.requestEnrolment({
      title: language.t('enrol.ask.title'),
      details: toDetails(await this.describe(form, key, language)),
      browser: ctx,
      key,
      returnTo: urls.interaction(interaction.uid),
      locales,
    });
    return urls.action(action.interaction);
  }

  /**
   * Describes the browser to the user of the phone. The lines are part of what is approved: each phone and each app
   * shows them, and an app signs them. The browser is not signed in, so it may be that of an attacker.
   */
  async describe({ ctx }: BrowserRequest, key: BrowserKey, { t, nameOf, place }: Language): Promise<string[]> {
    const { devices, clock } = this.#ports;
    const device = await devices.describe(ctx);
    const name = nameOf(describeUserAgent(device.userAgent));
    const where = toReadableText(place(device.place), MAX_PLACE);
    const [date = '', time = ''] = new Date(clock()).toISOString().split('T');
    return [
      t('enrol.ask.browser', { browser: where === '' ? name : `${name} · ${where}` }),
      t('enrol.ask.time', { time: `${date} ${time.slice(0, 5)} UTC` }),
      t('enrol.ask.warning'),
      t('enrol.ask.effect'),
      t('enrol.ask.key', { key: thumbprintOf(key) }),
    ];
  }

  /** The challenges are bound to the interaction and to its browser. */
  #nonces({ identity }: BrowserRequest): string[] {
    return noncesOf(this.#ports.keys, 'enrol', identity.interaction, identity.binding);
  }
}
