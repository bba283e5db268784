/** Starts the app. This is the script of its only page. */
import { Account } from './account.ts';
import { App } from './app.ts';
import { DeviceStore } from './device-store.ts';
import { Installation } from './installation.ts';
import { problemScreen } from './screens/plain-screens.ts';
import { readSettings } from './settings.ts';
import { Shell } from './shell.ts';
import { chooseLanguage, Texts } from './texts.ts';

const settings = readSettings();
const installation = new Installation();
const names = { provider: settings.provider, site: new URL(settings.issuer).host };
const texts = await Texts.load(chooseLanguage(navigator.languages), names);
let app: App | undefined;
const shell = new Shell(texts, settings.provider, () => void app?.open());

// Keys, cameras and service workers exist on secure origins only (W3C Secure Contexts).
if (isSecureContext) {
  void installation.keepFiles();
  await start();
} else stop('app.insecure');

async function start(): Promise<void> {
  const store = await DeviceStore.open().catch(() => undefined);
  if (store === undefined) return stop('app.no-storage');
  const account = await Account.load(settings, store);
  app = new App({ settings, texts, shell, store, account, installation });
  return app.open();
}

function stop(reason: string): void {
  shell.show(problemScreen(texts, { text: texts.t(reason) }), { isAlone: true });
}
