def interview(steps, answer):
    try:
        question = next(steps)
        while reply := answer(question):
            question = steps.send(reply)
    except StopIteration as end:
        return end.value
