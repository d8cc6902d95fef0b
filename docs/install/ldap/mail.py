"""Takes every mail on port 1025, keeps the last hundred in memory and shows them on port 8025, newest first."""
import collections
import email
import email.policy
import html
import http.server
import os

from aiosmtpd.controller import Controller

mails = collections.deque(maxlen=100)
page = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Mail</title>
<meta name="viewport" content="width=device-width"><style>body{font:1rem/1.5 sans-serif;max-width:45rem;margin:1rem auto;padding:0 1rem}
pre{white-space:pre-wrap;border:1px solid;padding:1rem}</style><h1>Mail</h1>"""


class Catcher:
    async def handle_DATA(self, server, session, envelope):
        mails.appendleft((envelope.rcpt_tos, email.message_from_bytes(envelope.content, policy=email.policy.default)))
        return "250 taken"


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        shown = page if mails else page + "<p>There is none yet.</p>"
        for recipients, mail in list(mails):
            text = mail.get_body(("plain", "html"))
            shown += "<h2>%s</h2><p>to %s</p><pre>%s</pre>" % tuple(
                html.escape(part) for part in (mail["subject"] or "", ", ".join(recipients), text.get_content() if text else ""))
        body = shown.encode("utf-8", "replace")
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


address = os.environ.get("MAIL_ADDRESS", "0.0.0.0")
Controller(Catcher(), hostname=address, port=1025).start()
http.server.ThreadingHTTPServer((address, 8025), Page).serve_forever()
