def interview(steps, answer):
    value = answer("")
    try:
        while True:
            question = steps.send(value)
            value = answer(question)
    except StopIteration as end:
        return end.value
