// Texts with placeholders, and frames made of them.
#include "crowd.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static int nibble(char digit) { return digit <= '9' ? digit - '0' : (digit | 32) - 'a' + 10; }

// %d: the client's index, %h: its hundreds, %p: the index of the client half the crowd away, %n: the number,
// %N: nine digits of it.
// A text that begins with "hex:" is bytes, two digits for each.
size_t render(char *out, const char *text, int index, long number) {
  bool hex = !strncmp(text, "hex:", 4);
  if (hex) text += 4;
  char *o = out;
  while (*text) {
    size_t plain = strchrnul(text, '%') - text;
    if (o - out + plain > MAX_TEXT - 32) fail("a text is longer than %d bytes", MAX_TEXT - 32);
    if (hex) {
      for (size_t i = 0; i + 1 < plain; i += 2) *o++ = nibble(text[i]) << 4 | nibble(text[i + 1]);
    } else {
      memcpy(o, text, plain);
      o += plain;
    }
    text += plain;
    if (*text == 0) break;
    if (text[1] == 'd') o += sprintf(o, "%d", index);
    else if (text[1] == 'h') o += sprintf(o, "%d", index / 100);
    else if (text[1] == 'p') o += sprintf(o, "%d", (index + client_count / 2) % client_count);
    else if (text[1] == 'n') o += sprintf(o, "%ld", number);
    else if (text[1] == 'N') o += sprintf(o, "%09ld", number);
    else fail("unknown placeholder %.2s in a text", text);
    text += 2;
  }
  return o - out;
}

size_t put_frame(uint8_t *out, const char *text, int index, long number) {
  static char rendered[MAX_TEXT];
  // Any mask but zero, which servers may skip.
  static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
  size_t length = render(rendered, text, index, number), head = 2;
  out[0] = strncmp(text, "hex:", 4) ? 0x81 : 0x82;
  if (length < 126) {
    out[1] = 0x80 | length;
  } else if (length < 65536) {
    out[1] = 0x80 | 126, out[2] = length >> 8, out[3] = length, head = 4;
  } else {
    out[1] = 0x80 | 127, head = 10;
    for (int i = 0; i < 8; i++) out[2 + i] = (uint64_t)length >> (56 - 8 * i);
  }
  memcpy(out + head, mask, 4);
  head += 4;
  for (size_t i = 0; i < length; i++) out[head + i] = rendered[i] ^ mask[i & 3];
  return head + length;
}

void send_all(Client *client, const void *bytes, size_t length) {
  for (const char *b = bytes; length > 0;) {
    ssize_t n = send(client->fd, b, length, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) {
      struct pollfd writable = {.fd = client->fd, .events = POLLOUT};
      if (poll(&writable, 1, PATIENCE_SECONDS * 1000) == 0) {
        fail("client %d cannot send: the server does not read", client->index);
      }
      continue;
    }
    if (n < 0) fail("client %d cannot send: %s", client->index, strerror(errno));
    b += n, length -= n;
  }
}

void send_text(Client *client, const char *text, long number) {
  static uint8_t frame[MAX_FRAME];
  send_all(client, frame, put_frame(frame, text, client->index, number));
}
