// SPDX-License-Identifier: Apache-2.0
// The official JavaScript client against a node. Run by openai_javascript_test.py, which starts the node.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';

const baseURL = process.env.HANSE_URL + '/v1';
const client = new OpenAI({ baseURL, apiKey: 'unused', maxRetries: 0, timeout: 120_000 });
const ask = (text, more = {}) => ({ model: 'small', messages: [{ role: 'user', content: text }], max_tokens: 16, temperature: 0, ...more });

const weather = {
  type: 'function',
  function: {
    name: 'weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string', maxLength: 20 }, unit: { enum: ['celsius', 'kelvin'] } },
      required: ['city', 'unit'],
      additionalProperties: false,
    },
  },
};
const ship = {
  type: 'object',
  properties: { name: { type: 'string', maxLength: 20 }, masts: { type: 'integer' } },
  required: ['name', 'masts'],
  additionalProperties: false,
};

test('answers a chat', async () => {
  const answer = await client.chat.completions.create(ask('What is the capital of Germany?', { max_tokens: 32 }));
  assert.match(answer.choices[0].message.content, /Berlin/);
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
});

test('streams the same text', async () => {
  const whole = await client.chat.completions.create(ask('Name the planets.'));
  const stream = await client.chat.completions.create(ask('Name the planets.', { stream: true, stream_options: { include_usage: true } }));
  let text = '';
  let usage;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta?.content ?? '';
    usage = chunk.usage ?? usage;
  }
  assert.equal(text, whole.choices[0].message.content);
  assert.equal(usage.completion_tokens, whole.usage.completion_tokens);
});

test('calls a tool, at once and as a stream', async () => {
  const forced = ask('Weather in Riga?', { tools: [weather], tool_choice: 'required', max_tokens: 96 });
  const whole = await client.chat.completions.create(forced);
  assert.equal(whole.choices[0].finish_reason, 'tool_calls');
  assert.ok(JSON.parse(whole.choices[0].message.tool_calls[0].function.arguments).unit);
  const final = await client.chat.completions.stream(forced).finalChatCompletion();
  assert.equal(final.choices[0].message.tool_calls[0].function.name, 'weather');
});

test('parses structured output', async () => {
  const format = { type: 'json_schema', json_schema: { name: 'ship', strict: true, schema: ship } };
  const answer = await client.chat.completions.parse(ask('Describe the ship Vasa.', { response_format: format, max_tokens: 128 }));
  assert.equal(typeof answer.choices[0].message.parsed.masts, 'number');
});

test('embeds', async () => {
  const answer = await client.embeddings.create({ model: 'embedder', input: ['Hanse', 'Lübeck'] });
  assert.equal(answer.data.length, 2);
  const length = answer.data[0].embedding.reduce((sum, x) => sum + x * x, 0);
  assert.ok(Math.abs(length - 1) < 1e-3);
});

test('answers and streams responses', async () => {
  const answer = await client.responses.create({ model: 'small', input: 'What is the capital of Germany?', max_output_tokens: 24, temperature: 0 });
  assert.match(answer.output_text, /Berlin/);
  const kinds = [];
  for await (const event of await client.responses.create({ model: 'small', input: 'Say hello.', max_output_tokens: 8, stream: true })) kinds.push(event.type);
  assert.equal(kinds[0], 'response.created');
  assert.match(kinds.at(-1), /^response\.(completed|incomplete)$/);
});

test('lists models', async () => {
  const names = [];
  for await (const model of client.models.list()) names.push(model.id);
  assert.deepEqual(names.sort(), ['embedder', 'small']);
});

test('throws errors of the right class', async () => {
  await assert.rejects(client.chat.completions.create(ask('a', { model: 'nobody' })), (error) => error instanceof OpenAI.NotFoundError && error.code === 'model_not_found');
  await assert.rejects(client.chat.completions.create(ask('a', { temperature: 9 })), (error) => error instanceof OpenAI.BadRequestError && error.param === 'temperature');
});

test('stops the work when a stream is aborted', async () => {
  const stream = await client.chat.completions.create(ask('Tell a long story.', { max_tokens: 3000, ignore_eos: true, stream: true }));
  for await (const _ of stream) break;
  stream.controller.abort();
  const metrics = async () => (await (await fetch(process.env.HANSE_URL + '/metrics')).text()).match(/^hanse_in_flight\{model="small"\} (\d+)$/m)[1];
  const end = Date.now() + 30_000;
  while ((await metrics()) !== '0') {
    assert.ok(Date.now() < end, 'the aborted stream still runs');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});
