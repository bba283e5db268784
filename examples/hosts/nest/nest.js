/**
 * The provider in a NestJS 11 app, on Express or on Fastify. In a folder of its own: `npm install` there, then
 * `startNest(provider, qr, { path: '/oidc', port: 3000, platform: 'express' })`.
 */
import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';

class HelloController {
  hello() {
    return 'Hello from NestJS';
  }
}

class AppModule {}

// In TypeScript these three are decorators: @Get('hello'), @Controller() and @Module({ … }).
Get('hello')(
  HelloController.prototype,
  'hello',
  Object.getOwnPropertyDescriptor(HelloController.prototype, 'hello') ?? {},
);
Controller()(HelloController);
Module({ controllers: [HelloController] })(AppModule);

export async function startNest(provider, qr, { path, port, platform }) {
  const adapter = platform === 'fastify' ? new FastifyAdapter() : new ExpressAdapter();
  const app = await NestFactory.create(AppModule, adapter, { logger: ['error', 'warn'] });
  // Call this before listen() and init(), which add Nest's body parsers: the provider reads the body itself.
  app.use(path, provider.callback());
  await app.listen(port, 'localhost');
  return {
    server: app.getHttpServer(),
    stop: async () => {
      // End the event streams first, because they keep the server open.
      await qr.close();
      await app.close();
    },
  };
}
