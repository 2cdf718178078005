from tornado.web import RequestHandler


class Share(RequestHandler):
    async def get(self):
        self.people = int(self.get_argument("people"))
        self.write({"share": 120 / self.people})
