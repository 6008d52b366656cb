"""A client of the key-value port in 15 lines. Run alone, it counts to 1,000 without waiting, and watches that: kv_client.py HOST PORT"""
import asyncio, collections, json, sys

async def connect(host, port, on_push):
    reader, writer = await asyncio.open_connection(host, port, limit=2 << 20)  # A line has up to 1 MiB.
    waiting = collections.deque()
    async def read():
        async for line in reader:
            answer = json.loads(line)
            on_push(answer) if "push" in answer else waiting.popleft().set_result(answer)
        for one in waiting:
            one.set_exception(ConnectionError("The agent closed the connection"))
    def ask(action, **members):
        writer.write(json.dumps({"action": action, **members}).encode() + b"\n")
        waiting.append(asyncio.get_running_loop().create_future())
        return waiting[-1]
    return ask, asyncio.create_task(read())

async def main(host, port):
    pushes = asyncio.Queue()
    ask, reading = await connect(host, int(port), pushes.put_nowait)
    watch = (await ask("WATCH", key="count"))["result"]["watch"]
    answers = await asyncio.gather(*[ask("INCR", key="count") for _ in range(1000)])
    changes = [await pushes.get() for _ in answers]
    rest = await asyncio.gather(ask("UNWATCH", watch=watch), ask("GET", key="count"), ask("QUIT"))
    await reading
    print(json.dumps({"watch": watch, "answers": answers, "changes": changes, "rest": rest}))

if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
