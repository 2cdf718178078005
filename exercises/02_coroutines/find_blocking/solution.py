# On the loop's thread, `Rates` calls `look_up` once, `Menu` three times, and `Letters` never:
# there it runs on other threads. While Ada looks the rates up, Grace's `get` has not begun.
films = "c"
line = "s"
