def interview(steps, answer):
    """Send `answer(question)` for each question of `steps`; return what `steps` returns."""
    try:
        question = next(steps)
        while True:
            question = steps.send(str(answer(question)))
    except StopIteration as end:
        return end.value
