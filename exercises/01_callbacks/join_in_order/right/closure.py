from tornado.concurrent import Future


def join(futures):
    joined = Future()
    state = {"left": len(futures)}
    answers = [None for _ in futures]

    def receiver(place):
        def keep(full):
            answers[place] = full.result()
            state["left"] = state["left"] - 1
            if state["left"] == 0:
                joined.set_result(answers)

        return keep

    for place, f in enumerate(futures):
        f.add_done_callback(receiver(place))
    if not futures:
        joined.set_result(answers)
    return joined
