using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Sentiric.Dialogue.Tests;

public sealed class OpenAiChatTests : IAsyncDisposable
{
    private readonly ScriptedServer _server = new();
    private readonly HttpClient _http = new() { Timeout = Timeout.InfiniteTimeSpan };

    [Fact]
    public async Task Text_comes_in_pieces_and_is_counted()
    {
        _server.Answer(200, Event("""{"choices":[{"delta":{"content":"Merha"}}]}"""), Event("""{"choices":[{"delta":{"content":"ba."},"finish_reason":"stop"}]}"""),
            Event("""{"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":3}}"""), "data: [DONE]\n\n");
        var pieces = new List<string>();
        var reply = await Chat().AskAsync([new(LlmRole.System, "kısa"), new(LlmRole.User, "selam")], [new("book", "books", """{"type":"object"}""")], pieces.Add, default);
        Assert.Equal(["Merha", "ba."], pieces);
        Assert.Equal(("Merhaba.", 11, 3), (reply.Text, reply.PromptTokens, reply.CompletionTokens));
        var body = JsonNode.Parse(_server.Bodies.Single());
        Assert.Equal("selam", body?["messages"]?[1]?["content"]?.GetValue<string>());
        Assert.Equal("book", body?["tools"]?[0]?["function"]?["name"]?.GetValue<string>());
        Assert.Contains("Authorization: Bearer geheim", _server.Heads.Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tool_call_is_put_together_from_its_pieces()
    {
        _server.Answer(200, Event("""{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c1","function":{"name":"book","arguments":"{\"day\":"}}]}}]}"""),
            Event("""{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"salı\"}"}}]},"finish_reason":"tool_calls"}]}"""), "data: [DONE]\n\n");
        var reply = await Chat().AskAsync([new(LlmRole.User, "x")], [], _ => { }, default);
        Assert.Equal(new LlmToolCall("c1", "book", """{"day":"salı"}"""), Assert.Single(reply.ToolCalls));
    }

    [Fact]
    public async Task A_busy_server_is_asked_once_more()
    {
        _server.Answer(503);
        _server.Answer(200, Event("""{"choices":[{"delta":{"content":"Tamam."},"finish_reason":"stop"}]}"""), "data: [DONE]\n\n");
        Assert.Equal("Tamam.", (await Chat().AskAsync([new(LlmRole.User, "x")], [], _ => { }, default)).Text);
        Assert.Equal(2, _server.Bodies.Count);
    }

    [Theory]
    [InlineData(401, LlmFault.Refused, 1)]
    [InlineData(500, LlmFault.Overloaded, 2)]
    public async Task A_server_that_says_no_is_a_typed_error(int status, LlmFault fault, int attempts)
    {
        _server.Answer(status);
        _server.Answer(status);
        var error = await Assert.ThrowsAsync<LlmException>(() => Chat().AskAsync([new(LlmRole.User, "x")], [], _ => { }, default));
        Assert.Equal((fault, attempts), (error.Fault, _server.Bodies.Count));
    }

    [Fact]
    public async Task An_answer_that_breaks_off_or_is_no_JSON_is_a_typed_error()
    {
        _server.Answer(200, Event("""{"choices":[{"delta":{"content":"Mer"}}]}"""));
        Assert.Equal(LlmFault.BadAnswer, (await Assert.ThrowsAsync<LlmException>(() => Chat().AskAsync([new(LlmRole.User, "x")], [], _ => { }, default))).Fault);
        _server.Answer(200, "data: {oops\n\n");
        Assert.Equal(LlmFault.BadAnswer, (await Assert.ThrowsAsync<LlmException>(() => Chat().AskAsync([new(LlmRole.User, "x")], [], _ => { }, default))).Fault);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_a_typed_error()
    {
        var chat = new OpenAiChat(_http, new() { BaseUrl = "http://127.0.0.1:1/v1", Model = "m" }, TimeProvider.System);
        Assert.Equal(LlmFault.Unreachable, (await Assert.ThrowsAsync<LlmException>(() => chat.AskAsync([new(LlmRole.User, "x")], [], _ => { }, default))).Fault);
    }

    [Fact]
    public async Task A_server_that_never_answers_is_given_up()
    {
        _server.Answer(0);
        Assert.Equal(LlmFault.TimedOut, (await Assert.ThrowsAsync<LlmException>(() => Chat().AskAsync([new(LlmRole.User, "x")], [], _ => { }, default))).Fault);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _server.DisposeAsync();
    }

    private OpenAiChat Chat() => new(_http, new() { BaseUrl = _server.BaseUrl, Model = "m", ApiKey = "geheim", Timeout = TimeSpan.FromSeconds(5) }, TimeProvider.System);

    private static string Event(string json) => $"data: {json}\n\n";
}

/// <summary>An HTTP server on loopback that answers what it was told, request by request, and closes. Status 0: it never answers.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Queue<(int Status, string[] Parts)> _answers = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _serving;

    public ScriptedServer()
    {
        _listener.Start();
        _serving = ServeAsync();
    }

    public string BaseUrl => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/v1";

    public List<string> Bodies { get; } = [];

    public List<string> Heads { get; } = [];

    public void Answer(int status, params string[] parts) => _answers.Enqueue((status, parts));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
            await using var stream = client.GetStream();
            await ReadRequestAsync(stream);
            var (status, parts) = _answers.Dequeue();
            if (status == 0)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, _stop.Token);
            }

            await stream.WriteAsync(Encoding.UTF8.GetBytes($"HTTP/1.1 {status} X\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n{string.Concat(parts)}"), _stop.Token);
        }
    }

    private async Task ReadRequestAsync(NetworkStream stream)
    {
        var received = new MemoryStream();
        var buffer = new byte[4_096];
        while (true)
        {
            received.Write(buffer, 0, await stream.ReadAsync(buffer, _stop.Token));
            var text = Encoding.UTF8.GetString(received.ToArray());
            var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end < 0)
            {
                continue;
            }

            var length = int.Parse(text.Split("Content-Length: ")[1].Split("\r\n")[0]);
            if (received.Length >= Encoding.UTF8.GetByteCount(text[..end]) + 4 + length)
            {
                Heads.Add(text[..end]);
                Bodies.Add(text[(end + 4)..]);
                return;
            }
        }
    }
}
