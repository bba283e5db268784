/** Serves OpenTelemetry's metrics to Prometheus: `/metrics` on a port of its own. */
import { metrics } from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';

/**
 * Starts the metrics server. Call it before `qrLogin()` and `keyvAdapter()`: an instrument belongs to the meter
 * provider that was registered when it was created.
 * @returns a function that stops the server
 */
export async function serveMetrics(port: number, host: string): Promise<() => Promise<void>> {
  const exporter = new PrometheusExporter({ port, host, preventServerStart: true });
  const provider = new MeterProvider({ readers: [exporter] });
  metrics.setGlobalMeterProvider(provider);
  await exporter.startServer();
  return () => provider.shutdown();
}
