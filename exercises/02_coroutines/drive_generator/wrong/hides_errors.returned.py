def interview(steps, answer):
    """Send `answer(question)` for each question of `steps`; return what `steps` returns."""
    try:
        question = next(steps)
        while True:
            question = steps.send(answer(question))
    except Exception as end:
        return getattr(end, "value", None)
