"""Mail over SMTP, against a small server of its own: what arrives, and which refusals are final."""

import email
import email.policy
import socketserver
import threading

import pytest

from gateways.mail import Mail, Refused, SmtpMailer, Unavailable

MAIL = Mail("notice-17", "user@example.com", "主题：回执", "您好\n.\n正文 😀\n")


class Server(socketserver.ThreadingTCPServer):
    """Speaks as much SMTP as one mail needs; `answers` replaces the answer to a command."""

    allow_reuse_address = daemon_threads = True

    def __init__(self):
        self.answers, self.mails = {}, []
        super().__init__(("127.0.0.1", 0), Session)


class Session(socketserver.StreamRequestHandler):
    def handle(self):
        self.say(b"220 test")
        for line in self.rfile:
            word = line.split()[0].upper().partition(b":")[0].decode()
            answer = self.server.answers.get(word, {"DATA": b"354 go", "QUIT": b"221 bye"}.get(word, b"250 ok"))
            self.say(answer)
            if word == "DATA" and answer.startswith(b"354"):
                text = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.mails.append(email.message_from_bytes(text, policy=email.policy.default))
                self.say(self.server.answers.get("END", b"250 taken"))
            if word == "QUIT":
                return

    def say(self, answer: bytes) -> None:
        self.wfile.write(answer + b"\r\n")


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def mailer(server):
    return SmtpMailer("127.0.0.1", server.server_address[1], "noreply@portal.example", timeout=2)


def test_a_mail_arrives_with_its_text_and_the_notices_number(server, mailer):
    mailer.send(MAIL)
    (mail,) = server.mails
    assert mail["X-Eport-Notice"] == "notice-17"
    assert (mail["Subject"], mail["To"], mail["From"]) == ("主题：回执", "user@example.com", "noreply@portal.example")
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().replace("\r\n", "\n") == MAIL.text


def test_a_mail_sent_again_has_the_same_message_id(server, mailer):
    mailer.send(MAIL)
    mailer.send(MAIL)
    assert server.mails[0]["Message-ID"] == server.mails[1]["Message-ID"] == "<notice-17@portal.example>"


@pytest.mark.parametrize("to", ["", "user", "a@b, c@d", "Name <a@b.cn>", "用户@example.com", "a@b.cn\r\nBcc: c@d.cn"])
def test_what_is_not_one_plain_address_is_refused(server, mailer, to):
    with pytest.raises(Refused):
        mailer.send(Mail("n", to, "s", "t"))
    assert not server.mails


def test_a_line_break_in_the_subject_is_refused(mailer):
    with pytest.raises(Refused):
        mailer.send(Mail("n", "a@b.cn", "s\r\nBcc: c@d.cn", "t"))


@pytest.mark.parametrize("word", ["MAIL", "RCPT", "DATA", "END"])
@pytest.mark.parametrize("answer, outcome", [(b"550 no", Refused), (b"451 later", Unavailable)])
def test_a_5xx_is_final_and_a_4xx_is_not(server, mailer, word, answer, outcome):
    server.answers[word] = answer
    with pytest.raises(outcome):
        mailer.send(MAIL)


def test_no_server_is_unavailable():
    with pytest.raises(Unavailable):
        SmtpMailer("127.0.0.1", 1, "noreply@portal.example", timeout=1).send(MAIL)


def test_a_server_without_starttls_gets_nothing_where_it_is_asked_for(server):
    mailer = SmtpMailer("127.0.0.1", server.server_address[1], "noreply@portal.example", security="starttls")
    with pytest.raises(Unavailable):
        mailer.send(MAIL)
    assert not server.mails
