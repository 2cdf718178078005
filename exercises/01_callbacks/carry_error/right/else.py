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
        try:
            share = 120 / self.people
        except Exception as error:
            self.done.set_exception(error)
        else:
            self.write({"share": share})
            self.done.set_result(None)
