import queue


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    box = queue.Queue()
    call.add_callbacks(box.put, box.put)
    answer = box.get()
    if isinstance(answer, Exception):
        raise answer
    return answer
