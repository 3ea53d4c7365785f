"""A WSGI application that answers with what it sees."""
import json
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


def application(environ, start_response):
    body = environ['wsgi.input'].read(int(environ.get('CONTENT_LENGTH') or 0))
    headers = {name: value for name, value in environ.items() if name.startswith('HTTP_')}
    start_response('200 OK', [('Content-Type', 'application/json')])
    seen = {'by': 'wsgi', 'method': environ['REQUEST_METHOD'], 'bytes': len(body), 'headers': headers}
    return [json.dumps(seen).encode()]


make_server('127.0.0.1', int(sys.argv[1]), application, handler_class=Quiet).serve_forever()
