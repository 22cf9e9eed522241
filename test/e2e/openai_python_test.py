# SPDX-License-Identifier: Apache-2.0
"""The official Python client against a node: what its users rely on."""

import json
import time
import unittest

import openai
import pydantic
from hanse_node import MODEL, MODEL_FILE, Node, main, wait_until

WEATHER = {"type": "function", "function": {
    "name": "weather", "description": "The weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string", "maxLength": 20}, "unit": {"enum": ["celsius", "kelvin"]}},
                   "required": ["city", "unit"], "additionalProperties": False}}}


class Ship(pydantic.BaseModel):
    name: str = pydantic.Field(max_length=20)
    masts: int
    sunk: bool


def question(text: str) -> list[dict]:
    return [{"role": "user", "content": text}]


class Client(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node(models=[MODEL, {"name": "embedder", "file": MODEL_FILE, "context": 512, "embeddings": True}])
        cls.addClassCleanup(cls.node.__exit__)
        cls.node.start()
        cls.client = cls.node.client()
        cls.addClassCleanup(cls.client.close)

    def chat(self, text="Say hello.", **more):
        return self.client.chat.completions.create(**{"model": "small", "messages": question(text), "max_tokens": 16, "temperature": 0, **more})


class Chat(Client):
    def test_answers_with_text_usage_and_a_reason(self):
        answer = self.chat("What is the capital of Germany?", max_tokens=32)
        self.assertEqual(answer.object, "chat.completion")
        self.assertEqual(answer.model, "small")
        self.assertIn("Berlin", answer.choices[0].message.content)
        self.assertIn(answer.choices[0].finish_reason, ("stop", "length"))
        self.assertGreater(answer.usage.prompt_tokens, 5)
        self.assertLessEqual(answer.usage.completion_tokens, 32)
        self.assertEqual(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens)

    def test_ends_for_length_after_as_many_tokens_as_asked(self):
        answer = self.chat(max_tokens=None, max_completion_tokens=5, extra_body={"ignore_eos": True})
        self.assertEqual((answer.choices[0].finish_reason, answer.usage.completion_tokens), ("length", 5))

    def test_streams_the_same_text_that_it_gives_at_once(self):
        whole = self.chat("Name the planets.", max_tokens=40)
        chunks = list(self.chat("Name the planets.", max_tokens=40, stream=True, stream_options={"include_usage": True}))
        self.assertEqual("".join(c.choices[0].delta.content or "" for c in chunks if c.choices), whole.choices[0].message.content)
        self.assertEqual(chunks[0].choices[0].delta.role, "assistant")
        self.assertEqual(chunks[-1].choices, [])
        self.assertEqual(chunks[-1].usage.completion_tokens, whole.usage.completion_tokens)
        self.assertEqual({c.id for c in chunks}, {chunks[0].id})
        self.assertEqual([c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason], [whole.choices[0].finish_reason])

    def test_sends_no_usage_chunk_unless_asked(self):
        self.assertTrue(all(c.choices for c in self.chat(stream=True)))

    def test_ends_before_a_stop_string(self):
        answer = self.chat("Count: one, two, three, four, five. Repeat it exactly.", max_tokens=64)
        text = answer.choices[0].message.content
        stop = text[len(text) // 2 :][:3]
        stopped = self.chat("Count: one, two, three, four, five. Repeat it exactly.", max_tokens=64, stop=[stop]).choices[0]
        self.assertEqual(stopped.message.content, text[: text.index(stop)])
        self.assertEqual(stopped.finish_reason, "stop")

    def test_gives_n_answers_that_differ_by_seed_and_repeat_with_it(self):
        first = self.chat("Invent a word.", n=3, temperature=1.5, seed=7)
        again = self.chat("Invent a word.", n=3, temperature=1.5, seed=7)
        texts = [c.message.content for c in first.choices]
        self.assertEqual([c.index for c in first.choices], [0, 1, 2])
        self.assertGreater(len(set(texts)), 1)
        self.assertEqual(texts, [c.message.content for c in again.choices])

    def test_streams_n_answers_apart(self):
        texts = {0: "", 1: ""}
        for chunk in self.chat(n=2, stream=True):
            for choice in chunk.choices:
                texts[choice.index] += choice.delta.content or ""
        self.assertTrue(all(texts.values()))

    def test_tells_logprobs_of_each_token(self):
        answer = self.chat(max_tokens=4, logprobs=True, top_logprobs=3)
        content = answer.choices[0].logprobs.content
        self.assertEqual(len(content), answer.usage.completion_tokens)
        for token in content:
            self.assertEqual(len(token.top_logprobs), 3)
            self.assertLessEqual(token.logprob, 0.0)
            self.assertEqual(token.logprob, max(top.logprob for top in token.top_logprobs))  # temperature 0 takes the likeliest
        self.assertEqual(b"".join(bytes(t.bytes) for t in content).decode(), answer.choices[0].message.content)

    def test_obeys_logit_bias(self):
        plain = self.chat(max_tokens=1, logprobs=True, top_logprobs=1, extra_body={"ignore_eos": True})
        tokens = self.node.ask("POST", "/v1/completions", {"model": "small", "prompt": "x", "max_tokens": 1, "logit_bias": {"198": 100}})
        self.assertEqual(tokens.status, 200)
        self.assertEqual(tokens.json()["choices"][0]["text"], "\n")
        self.assertTrue(plain.choices[0].message.content)

    def test_reads_a_whole_conversation_and_texts_in_parts(self):
        last = {"role": "user", "content": [{"type": "text", "text": "What is the opposite "}, {"type": "text", "text": "of hot?"}]}
        alone = self.chat(messages=[last])
        self.assertIn("cold", alone.choices[0].message.content)
        before = [{"role": "system", "content": "You are brief."}, {"role": "user", "content": "Moin!"}, {"role": "assistant", "content": "Moin, moin!"}]
        self.assertGreater(self.chat(messages=[*before, last]).usage.prompt_tokens, alone.usage.prompt_tokens - 10)

    def test_reads_the_shared_beginning_of_a_prompt_once(self):
        beginning = "The harbour master writes every ship into the book. " * 30
        self.chat(beginning + "Who writes?")
        second = self.chat(beginning + "What is written?")
        self.assertGreater(second.usage.prompt_tokens_details.cached_tokens, second.usage.prompt_tokens // 2)

    def test_gives_an_answer_of_its_own_shape_to_async_users(self):
        import asyncio

        async def ask():
            async with openai.AsyncOpenAI(base_url=self.node.url + "/v1", api_key="unused") as client:
                answers = await asyncio.gather(*(client.chat.completions.create(model="small", messages=question(f"Say {n}."), max_tokens=4) for n in range(6)))
                return [a.choices[0].message.content for a in answers]

        self.assertEqual(len([text for text in asyncio.run(ask()) if text]), 6)


class Tools(Client):
    def check_call(self, call):
        self.assertEqual(call.function.name, "weather")
        arguments = json.loads(call.function.arguments)
        self.assertIsInstance(arguments["city"], str)
        self.assertIn(arguments["unit"], ("celsius", "kelvin"))

    def test_calls_a_tool_when_it_must(self):
        choice = self.chat("Weather in Lübeck?", tools=[WEATHER], tool_choice="required", max_tokens=96).choices[0]
        self.assertEqual(choice.finish_reason, "tool_calls")
        self.check_call(choice.message.tool_calls[0])

    def test_calls_the_tool_that_is_named(self):
        other = {"type": "function", "function": {"name": "tides", "parameters": {"type": "object", "properties": {}}}}
        choice = self.chat("Weather in Bergen?", tools=[other, WEATHER], tool_choice={"type": "function", "function": {"name": "weather"}}, max_tokens=96).choices[0]
        self.check_call(choice.message.tool_calls[0])

    def test_streams_a_call_in_pieces_that_join(self):
        name, arguments, ids, reasons = "", "", set(), []
        for chunk in self.chat("Weather in Riga?", tools=[WEATHER], tool_choice="required", max_tokens=96, stream=True):
            for choice in chunk.choices:
                reasons += [choice.finish_reason] if choice.finish_reason else []
                for call in choice.delta.tool_calls or []:
                    if call.index == 0:
                        name += call.function.name or ""
                        arguments += call.function.arguments or ""
                        ids |= {call.id} if call.id else set()
        self.assertEqual((name, len(ids), reasons), ("weather", 1, ["tool_calls"]))
        self.assertIn(json.loads(arguments)["unit"], ("celsius", "kelvin"))

    def test_goes_on_after_the_result_of_a_tool(self):
        call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Riga","unit":"celsius"}'}}
        answer = self.chat(tools=[WEATHER], messages=question("Weather in Riga?") + [
            {"role": "assistant", "content": None, "tool_calls": [call]}, {"role": "tool", "tool_call_id": "call_1", "content": "14 degrees, rain"}])
        self.assertIsNotNone(answer.choices[0].message)


class Structured(Client):
    def test_parses_into_a_pydantic_model(self):
        answer = self.client.chat.completions.parse(model="small", messages=question("Describe the ship Vasa."), response_format=Ship, max_tokens=128)
        self.assertIsInstance(answer.choices[0].message.parsed, Ship)

    def test_streams_what_parses(self):
        schema = {"type": "json_schema", "json_schema": {"name": "ship", "strict": True, "schema": {**Ship.model_json_schema(), "additionalProperties": False}}}
        text = "".join(c.choices[0].delta.content or "" for c in self.chat("Describe the ship Vasa.", response_format=schema, max_tokens=128, stream=True) if c.choices)
        Ship.model_validate_json(text)

    def test_gives_any_json_object(self):
        text = self.chat("A JSON object with one short key.", response_format={"type": "json_object"}, max_tokens=200).choices[0]
        if text.finish_reason == "stop":
            self.assertIsInstance(json.loads(text.message.content), dict)
        else:
            self.assertTrue(text.message.content.lstrip().startswith("{"))

    def test_refuses_a_schema_that_it_cannot_obey(self):
        with self.assertRaises(openai.BadRequestError):
            self.chat(response_format={"type": "json_schema", "json_schema": {"name": "bad", "schema": {"$ref": "#/nowhere"}}})


class OtherEndpoints(Client):
    def test_completes_text_and_echoes_it(self):
        answer = self.client.completions.create(model="small", prompt=["Once upon", "In the end"], max_tokens=6, echo=True, temperature=0)
        self.assertTrue(answer.choices[0].text.startswith("Once upon"))
        self.assertTrue(answer.choices[1].text.startswith("In the end"))

    def test_lists_and_shows_models(self):
        self.assertEqual({m.id for m in self.client.models.list()}, {"small", "embedder"})
        self.assertEqual(self.client.models.retrieve("small").id, "small")

    def test_embeds_texts_of_one_meaning_near_each_other(self):
        # Asks for base64 behind its user's back, which its own strict types then refuse.
        answer = self.node.client(_strict_response_validation=False).embeddings.create(model="embedder", input=["A cat sat on the mat.", "A cat sat on a mat.", "Interest rates rose sharply in March."])
        vectors = [item.embedding for item in answer.data]
        self.assertAlmostEqual(sum(x * x for x in vectors[0]), 1.0, places=3)
        near, far = (sum(a * b for a, b in zip(vectors[0], v)) for v in vectors[1:])
        self.assertGreater(near, far)
        self.assertGreater(answer.usage.prompt_tokens, 10)

    def test_embeds_to_the_same_numbers_in_both_encodings(self):
        client = self.node.client(_strict_response_validation=False)
        plain = client.embeddings.create(model="embedder", input="Hanse", encoding_format="float").data[0].embedding
        packed = client.embeddings.create(model="embedder", input="Hanse", encoding_format="base64").data[0].embedding
        import base64
        import struct
        raw = base64.b64decode(packed)
        for a, b in zip(plain, struct.unpack(f"<{len(raw) // 4}f", raw), strict=True):
            self.assertAlmostEqual(a, b, places=4)

    def test_answers_responses(self):
        answer = self.client.responses.create(model="small", instructions="Be brief.", input="What is the capital of Germany?", max_output_tokens=24, temperature=0)
        self.assertEqual(answer.object, "response")
        self.assertIn("Berlin", answer.output_text)
        self.assertGreater(answer.usage.output_tokens, 0)

    def test_streams_responses_as_events_in_order(self):
        events = list(self.client.responses.create(model="small", input="Say hello.", max_output_tokens=12, stream=True))
        kinds = [event.type for event in events]
        self.assertEqual(kinds[0], "response.created")
        self.assertIn(kinds[-1], ("response.completed", "response.incomplete"))
        text = "".join(e.delta for e in events if e.type == "response.output_text.delta")
        self.assertEqual(text, events[-1].response.output_text)
        numbers = [event.sequence_number for event in events]
        self.assertEqual(numbers, sorted(set(numbers)))

    def test_calls_tools_in_responses(self):
        tool = {"type": "function", **WEATHER["function"], "strict": True}
        answer = self.client.responses.create(model="small", input="Weather in Riga?", tools=[tool], tool_choice="required", max_output_tokens=96)
        call = next(item for item in answer.output if item.type == "function_call")
        self.assertEqual(call.name, "weather")
        self.assertIn("city", json.loads(call.arguments))

    def test_parses_responses_into_a_pydantic_model(self):
        answer = self.client.responses.parse(model="small", input="Describe the ship Vasa.", text_format=Ship, max_output_tokens=128)
        self.assertIsInstance(answer.output_parsed, Ship)

    def test_continues_a_stored_response(self):
        first = self.client.responses.create(model="small", input="My name is Anna.", max_output_tokens=12)
        second = self.client.responses.create(model="small", input="What is my name?", previous_response_id=first.id, max_output_tokens=8)
        self.assertGreater(second.usage.input_tokens, first.usage.input_tokens + first.usage.output_tokens)
        self.assertEqual(second.previous_response_id, first.id)
        self.assertEqual(self.client.responses.retrieve(first.id).output_text, first.output_text)


class Errors(Client):
    def test_raises_not_found_for_an_unknown_model(self):
        with self.assertRaises(openai.NotFoundError) as caught:
            self.chat(model="nobody")
        self.assertEqual(caught.exception.code, "model_not_found")
        self.assertIn("nobody", str(caught.exception))

    def test_raises_bad_request_that_names_the_parameter(self):
        for parameter, value in (("temperature", 9), ("max_tokens", -1), ("top_p", 2.5), ("n", 0)):
            with self.subTest(parameter), self.assertRaises(openai.BadRequestError) as caught:
                self.chat(**{parameter: value})
            self.assertEqual(caught.exception.param, parameter)

    def test_raises_bad_request_for_a_prompt_over_the_context(self):
        with self.assertRaises(openai.BadRequestError) as caught:
            self.chat("word " * 6000)
        self.assertEqual(caught.exception.code, "context_length_exceeded")

    def test_raises_a_timeout_and_stops_the_work(self):
        with self.assertRaises(openai.APITimeoutError):
            self.chat("Tell a long story.", max_tokens=3000, extra_body={"ignore_eos": True}, timeout=0.3)
        wait_until(self.node.idle, "the abandoned request to end", 20)

    def test_stops_the_work_when_a_stream_is_closed(self):
        stream = self.chat("Tell a long story.", max_tokens=3000, extra_body={"ignore_eos": True}, stream=True)
        next(iter(stream))
        stream.close()
        wait_until(self.node.idle, "the closed stream to end", 20)


class Keys(unittest.TestCase):
    def test_keys_are_asked_for_and_limits_are_kept_with_retries(self):
        with Node(keys={"required": "always"}) as node:
            made = node.command("key", "create", "--name", "e2e", "--requests-per-minute", "120", "--json")
            self.assertEqual(made.returncode, 0, made.stderr)
            secret = json.loads(made.stdout)["secret"]
            with self.assertRaises(openai.AuthenticationError):
                node.client(api_key="hanse_wrong").models.list()
            client = node.client(api_key=secret)
            wait_until(lambda: self.accepted(client), "the new key to be known", 20)
            # 120 requests stand in the bucket; then a refusal, and a patient client gets through.
            refused = None
            for _ in range(200):
                try:
                    client.models.list()
                    client.chat.completions.create(model="small", messages=question("Hi"), max_tokens=1)
                except openai.RateLimitError as error:
                    refused = error
                    break
            self.assertIsNotNone(refused, "the limit was never reached")
            self.assertGreater(float(refused.response.headers["retry-after"]), 0)
            begin = time.monotonic()
            patient = node.client(api_key=secret, max_retries=5)
            self.assertTrue(patient.chat.completions.create(model="small", messages=question("Hi"), max_tokens=1).choices)
            self.assertLess(time.monotonic() - begin, 30)

    @staticmethod
    def accepted(client) -> bool:
        try:
            client.models.list()
            return True
        except openai.AuthenticationError:
            return False


if __name__ == "__main__":
    main()
