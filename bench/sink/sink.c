/* The provider of the benchmarks: one process, one epoll loop, HTTP/1.1 with keep-alive.
 *
 * It answers like Twilio's Messages resource (and takes the same form in the address of a GET, which is all that
 * Kannel can send) and like sendMessage of Telegram's Bot API, and is the only witness of a run: it checks the
 * credentials, reads whom it is for, and checks that the text ends with this person's token, SipHash-2-4(secret, number
 * or chat id) as 16 hex digits.
 * Numbers are counted once each; the sum of their tokens (mod 2^64) fingerprints the set in any order.
 *
 *     SINK_ADDRESS=127.0.0.1 SINK_AUTH=base64(account:token) SINK_BOT=bot's token SINK_KEY=32 hex digits \
 *         ./sink [milliseconds before each answer [how many people there may be]]
 *
 * prints its port. GET /stats tells what was seen, POST /reset forgets it. Linux only (epoll).
 * POST /arrivals writes "to from nanoseconds" (a chat id without +) of every message with its person's token to the file SINK_ARRIVALS.
 * POST /trouble/A/B/C/D lets that many of a thousand requests meet: 429 with Retry-After, 503, a connection that is
 * cut after the message was taken, one that is cut before.
 * POST /given with a whole HTTP answer as its body lets every request after it get this answer, until /reset. Nothing
 * is checked then: GET /given tells how many there were, and the bytes of their targets and bodies. An answer longer
 * than 32 KiB (2 KiB for a sink that answers late) is refused with 413.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { IN_SIZE = 1 << 19, OUT_SIZE = 65536, ANSWER_SIZE = 2048, GIVEN_SIZE = 32768, TEXT_SIZE = 2048, LEAST_SLOTS = 1 << 16, WAITING = 1 << 16, EVENTS = 256 };

typedef struct { int fd, in_len, out_len, blocked; unsigned generation; char in[IN_SIZE + 1], out[OUT_SIZE]; } Conn;
typedef struct { Conn *conn; unsigned generation; int64_t due; int length; char text[ANSWER_SIZE]; } Waiting;
typedef struct { int is_chat, to_len, length; char to[32], from[32], text[TEXT_SIZE]; } Message;

static struct { uint64_t requests, bytes; int length; char text[GIVEN_SIZE]; } given;
static struct { uint64_t total, unique, bad_auth, bad_token, bad_request, sum; int64_t first, last; } seen;
static uint64_t *numbers, key[2], next_sid;
static size_t slots = LEAST_SLOTS; /* a power of two */
static const char *auth, *bot;
static struct { uint64_t to, from; int64_t at; int is_chat; } *arrivals;
static size_t arrived, arrivals_size;
static unsigned trouble[4], dice;
static Waiting *waiting;
static unsigned queue_head, queue_tail;
static int64_t delay_ns;
static int poller;

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

#define ROTL(x, b) (((x) << (b)) | ((x) >> (64 - (b))))
#define ROUND do { v0 += v1; v1 = ROTL(v1, 13) ^ v0; v0 = ROTL(v0, 32); v2 += v3; v3 = ROTL(v3, 16) ^ v2; \
    v0 += v3; v3 = ROTL(v3, 21) ^ v0; v2 += v1; v1 = ROTL(v1, 17) ^ v2; v2 = ROTL(v2, 32); } while (0)

static uint64_t siphash(const char *text, size_t length) { /* little-endian machines, as Linux runs on */
    uint64_t v0 = key[0] ^ 0x736f6d6570736575, v1 = key[1] ^ 0x646f72616e646f6d, v2 = key[0] ^ 0x6c7967656e657261,
             v3 = key[1] ^ 0x7465646279746573, word = 0, last = (uint64_t)length << 56;
    size_t whole = length / 8 * 8;
    for (size_t i = 0; i < whole; i += 8) { memcpy(&word, text + i, 8); v3 ^= word; ROUND; ROUND; v0 ^= word; }
    for (size_t i = whole; i < length; i++) last |= (uint64_t)(unsigned char)text[i] << 8 * (i - whole);
    v3 ^= last; ROUND; ROUND; v0 ^= last; v2 ^= 0xff;
    ROUND; ROUND; ROUND; ROUND;
    return v0 ^ v1 ^ v2 ^ v3;
}

static int first_time(uint64_t number) { /* open addressing; 0 is never a number */
    size_t slot = (number * 0x9e3779b97f4a7c15ULL >> 32) & (slots - 1);
    for (; numbers[slot]; slot = (slot + 1) & (slots - 1)) if (numbers[slot] == number) return 0;
    if (seen.unique > slots / 4 * 3) { fputs("sink: more numbers than the table holds\n", stderr); exit(1); }
    numbers[slot] = number;
    return 1;
}

static int field(const char *form, const char *end, const char *name, char *value, int size) {
    size_t length = strlen(name);
    const char *at = form;
    while (at && at < end && !((size_t)(end - at) > length && !memcmp(at, name, length) && at[length] == '='))
        if ((at = memchr(at, '&', end - at))) at++;
    if (!at || at >= end) return -1;
    int n = 0;
    for (at += length + 1; at < end && *at != '&' && n < size - 1; at++) {
        unsigned code;
        if (*at == '%' && end - at > 2 && sscanf(at + 1, "%2x", &code) == 1) { value[n++] = code; at += 2; }
        else value[n++] = *at == '+' ? ' ' : *at;
    }
    value[n] = 0;
    return n;
}

static int json_field(const char *json, const char *end, const char *name, char *value, int size) {
    /* of a flat object; an escaped character stays as it is written, for a token has none */
    char quoted[40];
    int length = snprintf(quoted, sizeof quoted, "\"%s\"", name), n = 0;
    const char *at = memmem(json, end - json, quoted, length);
    if (!at) return -1;
    for (at += length; at < end && (*at == ' ' || *at == ':'); at++) {}
    const char *stop = at < end && *at == '"' ? "\"" : ",} ";
    for (at += *stop == '"'; at < end && n < size - 1 && !strchr(stop, *at); at++) {
        if (*at == '\\' && at + 1 < end && n < size - 2) value[n++] = *at++;
        value[n++] = *at;
    }
    value[n] = 0;
    return n;
}

static const char *header(const char *head, const char *end, const char *name) { /* the value, or NULL */
    size_t length = strlen(name);
    for (const char *line = head; line && line + length < end; line = memchr(line, '\n', end - line)) {
        if (*line == '\n') line++;
        if (!strncasecmp(line, name, length)) return line + length + strspn(line + length, " ");
    }
    return NULL;
}

static int answer(char *out, const char *status, const char *json) {
    return snprintf(out, ANSWER_SIZE, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                    status, strlen(json), json);
}

static int refuse(char *out, const char *status, int code, const char *words) {
    char json[300];
    snprintf(json, sizeof json, "{\"code\": %d, \"message\": \"%s\", \"more_info\": "
             "\"https://www.twilio.com/docs/errors/%d\", \"status\": %.3s}", code, words, code, status);
    return answer(out, status, json);
}

static int refuse_bot(char *out, const char *status, const char *words) { /* as core.telegram.org/bots/api says */
    char json[300];
    snprintf(json, sizeof json, "{\"ok\":false,\"error_code\":%.3s,\"description\":\"%s\"}", status, words);
    return answer(out, status, json);
}

static void note_arrival(const Message *m, int64_t at) {
    if (arrived == arrivals_size) {
        arrivals_size = arrivals_size ? 2 * arrivals_size : 1 << 14;
        if (!(arrivals = realloc(arrivals, arrivals_size * sizeof *arrivals))) exit(1);
    }
    arrivals[arrived].to = strtoull(m->to, NULL, 10);
    arrivals[arrived].from = strtoull(m->from, NULL, 10);
    arrivals[arrived].is_chat = m->is_chat;
    arrivals[arrived++].at = at;
}

static int sent_by_twilio(char *out, const Message *m) {
    char json[1200];
    snprintf(json, sizeof json,
        "{\"account_sid\": \"AC%032d\", \"api_version\": \"2010-04-01\", \"body\": \"%.24s\", \"date_created\": "
        "\"Mon, 02 Mar 2026 12:00:00 +0000\", \"date_sent\": null, \"date_updated\": \"Mon, 02 Mar 2026 12:00:00 "
        "+0000\", \"direction\": \"outbound-api\", \"error_code\": null, \"error_message\": null, \"from\": "
        "\"+12025550100\", \"messaging_service_sid\": null, \"num_media\": \"0\", \"num_segments\": \"1\", \"price\": "
        "null, \"price_unit\": \"USD\", \"sid\": \"SM%032llx\", \"status\": \"queued\", \"subresource_uris\": {\"media\": "
        "\"/2010-04-01/Accounts/AC/Messages/SM/Media.json\"}, \"to\": \"%s\", \"uri\": "
        "\"/2010-04-01/Accounts/AC/Messages/SM.json\"}", 0, "-", (unsigned long long)++next_sid, m->to);
    return answer(out, "201 CREATED", json);
}

static int sent_by_bot(char *out, const Message *m) {
    char json[ANSWER_SIZE - 200];
    snprintf(json, sizeof json,
        "{\"ok\":true,\"result\":{\"message_id\":%llu,\"from\":{\"id\":%s,\"is_bot\":true,\"first_name\":\"Bench\","
        "\"username\":\"BenchBot\"},\"chat\":{\"id\":%s,\"first_name\":\"-\",\"type\":\"private\"},\"date\":1772452800,"
        "\"text\":\"-\"}}", (unsigned long long)++next_sid, m->from, m->to);
    return answer(out, "200 OK", json);
}

static int accept_message(char *out, const Message *m) {
    uint64_t token = siphash(m->to, m->to_len);
    char expected[17];
    snprintf(expected, sizeof expected, "%016llx", (unsigned long long)token);
    int made_for_them = !strcmp(expected, m->text + m->length - 16);
    if (!made_for_them) seen.bad_token++;
    if (first_time(strtoull(m->to, NULL, 10))) { seen.unique++; seen.sum += token; }
    seen.last = now_ns();
    if (made_for_them) note_arrival(m, seen.last);
    if (!seen.total++) seen.first = seen.last;
    return m->is_chat ? sent_by_bot(out, m) : sent_by_twilio(out, m);
}

static int stats(char *out) {
    char json[400];
    snprintf(json, sizeof json, "{\"total\": %llu, \"unique\": %llu, \"bad_auth\": %llu, \"bad_token\": %llu, "
             "\"bad_request\": %llu, \"sum\": \"%016llx\", \"first_ns\": %lld, \"last_ns\": %lld}",
             (unsigned long long)seen.total, (unsigned long long)seen.unique, (unsigned long long)seen.bad_auth,
             (unsigned long long)seen.bad_token, (unsigned long long)seen.bad_request, (unsigned long long)seen.sum,
             (long long)seen.first, (long long)seen.last);
    return answer(out, "200 OK", json);
}

static int reset(char *out) {
    memset(&seen, 0, sizeof seen);
    memset(trouble, 0, sizeof trouble);
    memset(&given, 0, sizeof given);
    arrived = 0;
    memset(numbers, 0, slots * sizeof *numbers);
    return answer(out, "200 OK", "{}");
}

static int write_arrivals(char *out) {
    const char *path = getenv("SINK_ARRIVALS");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file) return answer(out, "500 INTERNAL SERVER ERROR", "{}");
    for (size_t i = 0; i < arrived; i++)
        fprintf(file, arrivals[i].is_chat ? "%llu %llu %lld\n" : "+%llu +%llu %lld\n",
                (unsigned long long)arrivals[i].to, (unsigned long long)arrivals[i].from, (long long)arrivals[i].at);
    fclose(file);
    return answer(out, "200 OK", "{}");
}

static int make_trouble(char *out, const char *shares) {
    sscanf(shares, "%u/%u/%u/%u", &trouble[0], &trouble[1], &trouble[2], &trouble[3]);
    dice = 1;
    return answer(out, "200 OK", "{}");
}

static int troubled(char *out, const Message *m) { /* 0 for no trouble, -1 to cut the connection */
    unsigned drawn = (dice = dice * 1103515245 + 12345) >> 16, kind = 0;
    for (drawn %= 1000; kind < 4 && drawn >= trouble[kind]; kind++) drawn -= trouble[kind];
    if (kind == 0 && m->is_chat)
        return answer(out, "429 Too Many Requests", "{\"ok\":false,\"error_code\":429,\"description\":\"Too Many "
                      "Requests: retry after 1\",\"parameters\":{\"retry_after\":1}}");
    if (kind == 0)
        return snprintf(out, ANSWER_SIZE, "HTTP/1.1 429 TOO MANY REQUESTS\r\nRetry-After: 1\r\nContent-Type: "
                        "application/json\r\nContent-Length: 15\r\n\r\n{\"code\": 20429}");
    if (kind == 1) return refuse(out, "503 SERVICE UNAVAILABLE", 20503, "Try again");
    if (kind == 2) accept_message(out, m);
    return kind < 4 ? -1 : 0;
}

static int take(char *out, const Message *m) {
    int n = troubled(out, m);
    return n ? n : accept_message(out, m);
}

static const char *form_of(const char *head, const char *body, const char **end) { /* NULL when it is no message */
    const char *line_end = memchr(head, '\r', body - head), *path_end = strstr(head, "/Messages.json");
    if (!path_end || path_end > line_end) return NULL;
    path_end += strlen("/Messages.json");
    if (!strncmp(head, "POST ", 5) && *path_end == ' ') return body;
    if (strncmp(head, "GET ", 4) || *path_end != '?') return NULL;
    *end = memchr(path_end, ' ', line_end - path_end);
    return *end ? path_end + 1 : NULL;
}

static int twilio(char *out, const char *head, const char *body, const char *end) {
    Message m = {.is_chat = 0, .from = "+0"};
    const char *given = header(head, body, "Authorization: Basic"), *form = form_of(head, body, &end);
    size_t length = strlen(auth);
    if (!form) {
        seen.bad_request++;
        return refuse(out, "404 NOT FOUND", 20404, "The requested resource was not found.");
    }
    if (!given || strncmp(given, auth, length) || given[length] != '\r') {
        seen.bad_auth++;
        return refuse(out, "401 UNAUTHORIZED", 20003, "Authenticate");
    }
    m.to_len = field(form, end, "To", m.to, sizeof m.to);
    m.length = field(form, end, "Body", m.text, sizeof m.text);
    if (field(form, end, "From", m.from, sizeof m.from) <= 0) strcpy(m.from, "+0");
    if (m.to_len < 8 || m.to[0] != '+' || m.length < 16) {
        seen.bad_request++;
        return refuse(out, "400 BAD REQUEST", 21604, "A 'To' phone number and a 'Body' are required.");
    }
    return take(out, &m);
}

static int telegram(char *out, const char *token, const char *body, const char *end) { /* token: of the address */
    Message m = {.is_chat = 1};
    const char *slash = token + strcspn(token, "/ \r");
    size_t length = strlen(bot);
    if (strncmp(slash, "/sendMessage ", 13)) { seen.bad_request++; return refuse_bot(out, "404 Not Found", "Not Found"); }
    if ((size_t)(slash - token) != length || memcmp(token, bot, length)) {
        seen.bad_auth++;
        return refuse_bot(out, "401 Unauthorized", "Unauthorized");
    }
    m.to_len = json_field(body, end, "chat_id", m.to, sizeof m.to);
    m.length = json_field(body, end, "text", m.text, sizeof m.text);
    if (m.to_len < 1 || strspn(m.to, "0123456789") != (size_t)m.to_len || m.length < 16) {
        seen.bad_request++;
        return refuse_bot(out, "400 Bad Request", "Bad Request: a chat_id and a text are required");
    }
    snprintf(m.from, sizeof m.from, "%.*s", (int)strcspn(bot, ":"), bot);
    return take(out, &m);
}

static int give(char *out, const char *body, const char *end) {
    memset(&given, 0, sizeof given);
    if (end - body > (delay_ns ? ANSWER_SIZE : GIVEN_SIZE)) return answer(out, "413 CONTENT TOO LARGE", "{}");
    given.length = end - body;
    memcpy(given.text, body, given.length);
    return answer(out, "200 OK", "{}");
}

static int told_given(char *out) {
    char json[100];
    snprintf(json, sizeof json, "{\"requests\": %llu, \"bytes\": %llu}", (unsigned long long)given.requests,
             (unsigned long long)given.bytes);
    return answer(out, "200 OK", json);
}

static int as_given(char *out, const char *head, const char *body, const char *end) {
    const char *target = memchr(head, ' ', body - head);
    if (!target) return -1;
    given.requests++;
    given.bytes += strcspn(target + 1, " \r") + (end - body);
    memcpy(out, given.text, given.length);
    return given.length;
}

static int respond(char *out, const char *head, const char *body, const char *end) {
    if (!strncmp(head, "GET /stats ", 11)) return stats(out);
    if (!strncmp(head, "POST /reset ", 12)) return reset(out);
    if (!strncmp(head, "POST /arrivals ", 15)) return write_arrivals(out);
    if (!strncmp(head, "POST /trouble/", 14)) return make_trouble(out, head + 14);
    if (!strncmp(head, "POST /given ", 12)) return give(out, body, end);
    if (!strncmp(head, "GET /given ", 11)) return told_given(out);
    if (given.length) return as_given(out, head, body, end);
    if (!strncmp(head, "POST /bot", 9)) return telegram(out, head + 9, body, end);
    return twilio(out, head, body, end);
}

static void drop(Conn *c) {
    close(c->fd);
    c->generation++; /* answers that still wait for this connection are thrown away; the memory is used again */
    c->fd = -1;
    c->in_len = c->out_len = c->blocked = 0;
}

static void flush_out(Conn *c) {
    ssize_t n = c->out_len ? send(c->fd, c->out, c->out_len, MSG_NOSIGNAL) : 0;
    if (n < 0 && errno != EAGAIN) { drop(c); return; }
    if (n > 0) { memmove(c->out, c->out + n, c->out_len - n); c->out_len -= n; }
    if (c->blocked == (c->out_len > 0)) return;
    c->blocked = c->out_len > 0;
    struct epoll_event event = {.events = EPOLLIN | (c->blocked ? EPOLLOUT : 0), .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
}

static int take_request(Conn *c) { /* 1 when one was answered, 0 when more bytes are needed, -1 for nonsense */
    c->in[c->in_len] = 0;
    char *body = memmem(c->in, c->in_len, "\r\n\r\n", 4);
    if (!body) return c->in_len == IN_SIZE ? -1 : 0;
    body += 4;
    const char *size = header(c->in, body, "Content-Length:");
    long length = size ? strtol(size, NULL, 10) : 0;
    if (length < 0 || body + length > c->in + IN_SIZE) return -1;
    if (body + length > c->in + c->in_len) return 0;
    Waiting *w = &waiting[queue_tail % WAITING];
    if (delay_ns && queue_tail - queue_head == WAITING) return -1;
    char *out = delay_ns ? w->text : c->out + c->out_len;
    int n = respond(out, c->in, body, body + length);
    if (n < 0) return -1;
    if (delay_ns) { w->conn = c; w->generation = c->generation; w->due = now_ns() + delay_ns; w->length = n; queue_tail++; }
    else c->out_len += n;
    int used = body + length - c->in;
    memmove(c->in, c->in + used, c->in_len - used);
    c->in_len -= used;
    return 1;
}

static int longest_answer(void) { return given.length > ANSWER_SIZE ? given.length : ANSWER_SIZE; }

static void serve(Conn *c, uint32_t events) {
    if (events & EPOLLIN) {
        ssize_t n = read(c->fd, c->in + c->in_len, IN_SIZE - c->in_len);
        if (n == 0 || (n < 0 && errno != EAGAIN)) { drop(c); return; }
        if (n > 0) c->in_len += n;
    }
    int took;
    do { /* once more when what waited for room has it now: no event would tell */
        took = 1;
        while (took == 1 && c->out_len + longest_answer() <= OUT_SIZE) took = take_request(c);
        if (took < 0) { drop(c); return; }
        flush_out(c);
    } while (took == 1 && c->fd >= 0 && !c->blocked);
}

static int release_due(void) { /* sends answers whose delay is over; returns milliseconds until the next, -1 for none */
    while (queue_head != queue_tail) {
        Waiting *w = &waiting[queue_head % WAITING];
        int64_t left = w->due - now_ns();
        if (left > 0) return left / 1000000 + 1;
        if (w->conn->generation == w->generation && w->conn->out_len + w->length <= OUT_SIZE) {
            memcpy(w->conn->out + w->conn->out_len, w->text, w->length);
            w->conn->out_len += w->length;
            flush_out(w->conn);
        }
        queue_head++;
    }
    return -1;
}

static Conn *fresh_conn(int fd) {
    static Conn **all;
    static int count;
    for (int i = 0; i < count; i++) if (all[i]->fd < 0) { all[i]->fd = fd; return all[i]; }
    all = realloc(all, ++count * sizeof *all);
    if (!all || !(all[count - 1] = calloc(1, sizeof(Conn)))) exit(1);
    all[count - 1]->fd = fd;
    return all[count - 1];
}

static void welcome(int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK), on = 1;
    if (fd < 0) return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = fresh_conn(fd)};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
}

static int listen_on_free_port(void) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = inet_addr(getenv("SINK_ADDRESS"))};
    socklen_t size = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1024)) { perror("sink"); exit(1); }
    getsockname(listener, (struct sockaddr *)&address, &size);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    return listener;
}

int main(int argc, char **argv) {
    const char *secret = getenv("SINK_KEY");
    auth = getenv("SINK_AUTH");
    bot = getenv("SINK_BOT");
    if (!auth || !bot || !getenv("SINK_ADDRESS") || !secret || strlen(secret) != 32) {
        fputs("sink: set SINK_AUTH, SINK_BOT, SINK_ADDRESS and SINK_KEY\n", stderr);
        return 2;
    }
    for (int i = 15; i >= 0; i--) { unsigned byte; sscanf(secret + 2 * i, "%2x", &byte); key[i / 8] = key[i / 8] << 8 | byte; }
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    delay_ns = argc > 1 ? atoll(argv[1]) * 1000000 : 0;
    for (size_t people = argc > 2 ? atoll(argv[2]) : 0; slots < 2 * people;) slots *= 2;
    if (!(numbers = calloc(slots, sizeof *numbers))) { perror("sink"); return 1; }
    waiting = delay_ns ? calloc(WAITING, sizeof *waiting) : malloc(sizeof *waiting);
    poller = epoll_create1(0);
    int listener = listen_on_free_port(), timeout = -1;
    for (struct epoll_event events[EVENTS];;) {
        int count = epoll_wait(poller, events, EVENTS, timeout);
        for (int i = 0; i < count; i++) {
            Conn *c = events[i].data.ptr;
            if (!c) welcome(listener); else if (c->fd >= 0) serve(c, events[i].events);
        }
        timeout = release_due();
    }
}
