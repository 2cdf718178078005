def interview(steps, answer):
    value = None
    while True:
        try:
            question = steps.send(value)
        except StopIteration as end:
            return end.value
        value = answer(question)
