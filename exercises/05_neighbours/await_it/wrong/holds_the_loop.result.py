import concurrent.futures


async def wait_for(call):
    promise = concurrent.futures.Future()
    call.add_callbacks(promise.set_result, promise.set_exception)
    return promise.result()
