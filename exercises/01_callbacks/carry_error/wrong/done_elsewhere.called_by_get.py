from tornado.web import RequestHandler


class Share(RequestHandler):
    def get(self):
        self.people = int(self.get_argument("people"))
        self.work_it_out()

    def work_it_out(self):
        self.write({"share": 120 / self.people})
