from tornado.concurrent import Future
from tornado.ioloop import IOLoop
from tornado.web import RequestHandler


class Share(RequestHandler):
    def get(self):
        self.people = int(self.get_argument("people"))
        self.done = Future()
        IOLoop.current().call_later(0, self.work_it_out)
        return self.done

    def work_it_out(self):
        box = Future()
        try:
            box.set_result(120 / self.people)
        except Exception as error:
            box.set_exception(error)
        IOLoop.current().add_future(box, self.tell)

    def tell(self, full):
        if full.exception():
            self.done.set_exception(full.exception())
        else:
            self.write({"share": full.result()})
            self.done.set_result(None)
