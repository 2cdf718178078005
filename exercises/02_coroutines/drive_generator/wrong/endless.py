def interview(steps, answer):
    question = next(steps)
    while True:
        try:
            question = steps.send(answer(question))
        except StopIteration:
            continue
