using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Sentiric.Dialogue;

/// <summary>An OpenAI-compatible chat server: POST {base}/chat/completions with streaming (server-sent events) and tools.</summary>
public sealed class OpenAiChat(HttpClient http, LlmOptions options, TimeProvider time) : ILlm
{
    /// <summary>A request that failed before its first word is made once more.</summary>
    public const int MaxAttempts = 2;

    private const int MaxAnswerChars = 32_000;

    public string Model => options.Model;

    public async Task<LlmReply> AskAsync(IReadOnlyList<LlmMessage> messages, IReadOnlyList<LlmTool> tools, Action<string> onText, CancellationToken ct)
    {
        using var patience = new CancellationTokenSource(options.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
        var began = time.GetTimestamp();
        for (var attempt = 1; ; attempt++)
        {
            var answer = new Answer(began, time, onText);
            try
            {
                await StreamAsync(messages, tools, answer, either.Token).ConfigureAwait(false);
                return answer.ToReply(options.Model);
            }
            catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
            {
                throw new LlmException(LlmFault.TimedOut, $"no whole answer within {options.Timeout.TotalSeconds:0.#} s", e);
            }
            catch (LlmException e) when (attempt < MaxAttempts && !answer.HasBegun && (e.Fault is LlmFault.Unreachable or LlmFault.Overloaded))
            {
                // Nothing was said yet: the second attempt is not noticed but for its time.
            }
        }
    }

    private async Task StreamAsync(IReadOnlyList<LlmMessage> messages, IReadOnlyList<LlmTool> tools, Answer answer, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, options.BaseUrl.TrimEnd('/') + "/chat/completions")
        {
            Content = new StringContent(Body(messages, tools).ToJsonString(), Encoding.UTF8, "application/json"),
        };
        if (options.ApiKey is { Length: > 0 } key)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }

        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct).ConfigureAwait(false);
            Check(response.StatusCode);
            await using var stream = await response.Content.ReadAsStreamAsync(ct).ConfigureAwait(false);
            await ReadEventsAsync(stream, answer, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new LlmException(LlmFault.Unreachable, $"{options.BaseUrl} does not answer: {e.Message}", e);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new LlmException(LlmFault.BadAnswer, $"the answer is not what was agreed: {e.Message}", e);
        }
    }

    private static void Check(HttpStatusCode status)
    {
        if (status != HttpStatusCode.OK)
        {
            var fault = (int)status is 429 or >= 500 ? LlmFault.Overloaded : LlmFault.Refused;
            throw new LlmException(fault, $"the server answered {(int)status}");
        }
    }

    // WHATWG HTML 9.2.6: lines of "data: ...", the last one "[DONE]".
    private static async Task ReadEventsAsync(Stream stream, Answer answer, CancellationToken ct)
    {
        using var reader = new StreamReader(stream, Encoding.UTF8);
        while (await reader.ReadLineAsync(ct).ConfigureAwait(false) is { } line)
        {
            if (!line.StartsWith("data:", StringComparison.Ordinal))
            {
                continue;
            }

            var data = line.AsSpan(5).Trim();
            if (data.SequenceEqual("[DONE]"))
            {
                return;
            }

            answer.Add(JsonNode.Parse(data.ToString()));
        }

        if (!answer.Finished)
        {
            throw new LlmException(LlmFault.BadAnswer, "the answer broke off in the middle");
        }
    }

    private JsonObject Body(IReadOnlyList<LlmMessage> messages, IReadOnlyList<LlmTool> tools)
    {
        var body = new JsonObject
        {
            ["model"] = options.Model,
            ["stream"] = true,
            ["stream_options"] = new JsonObject { ["include_usage"] = true },
            ["temperature"] = options.Temperature,
            ["max_tokens"] = options.MaxTokens,
            ["messages"] = new JsonArray(messages.Select(m => (JsonNode)Json(m)).ToArray()),
        };
        if (tools.Count > 0)
        {
            body["tools"] = new JsonArray(tools.Select(t => (JsonNode)Json(t)).ToArray());
        }

        return body;
    }

    private static JsonObject Json(LlmMessage message)
    {
        var json = new JsonObject { ["role"] = RoleName(message.Role), ["content"] = message.Content };
        if (message.ToolCallId is { } id)
        {
            json["tool_call_id"] = id;
        }

        if (message.ToolCalls is { Count: > 0 } calls)
        {
            json["tool_calls"] = new JsonArray(calls.Select(c => (JsonNode)new JsonObject
            {
                ["id"] = c.Id,
                ["type"] = "function",
                ["function"] = new JsonObject { ["name"] = c.Name, ["arguments"] = c.Arguments },
            }).ToArray());
        }

        return json;
    }

    private static JsonObject Json(LlmTool tool) => new()
    {
        ["type"] = "function",
        ["function"] = new JsonObject { ["name"] = tool.Name, ["description"] = tool.Description, ["parameters"] = JsonNode.Parse(tool.Parameters) },
    };

    private static string RoleName(LlmRole role) => role switch
    {
        LlmRole.System => "system",
        LlmRole.User => "user",
        LlmRole.Assistant => "assistant",
        LlmRole.Tool => "tool",
    };

    /// <summary>An answer as it grows.</summary>
    private sealed class Answer(long began, TimeProvider time, Action<string> onText)
    {
        private readonly StringBuilder _text = new();
        private readonly SortedDictionary<int, (string Id, string Name, StringBuilder Arguments)> _calls = [];
        private long _firstMs = -1;
        private int _promptTokens;
        private int _completionTokens;

        public bool HasBegun => _firstMs >= 0;

        public bool Finished { get; private set; }

        public void Add(JsonNode? chunk)
        {
            if (chunk?["usage"] is JsonObject usage)
            {
                _promptTokens = usage["prompt_tokens"]?.GetValue<int>() ?? 0;
                _completionTokens = usage["completion_tokens"]?.GetValue<int>() ?? 0;
            }

            if (chunk?["choices"] is not JsonArray { Count: > 0 } choices)
            {
                return;
            }

            Finished |= choices[0]?["finish_reason"] is not null;
            if (choices[0]?["delta"] is JsonObject delta)
            {
                AddText(delta["content"]?.GetValue<string>());
                AddCalls(delta["tool_calls"] as JsonArray);
            }
        }

        public LlmReply ToReply(string model) => new(
            _text.ToString(), _calls.Values.Select(c => new LlmToolCall(c.Id, c.Name, c.Arguments.ToString())).ToArray(), model, _promptTokens, _completionTokens,
            Math.Max(0, _firstMs), Elapsed());

        private void AddText(string? text)
        {
            if (text is not { Length: > 0 })
            {
                return;
            }

            Begin();
            _text.Append(text);
            if (_text.Length > MaxAnswerChars)
            {
                throw new LlmException(LlmFault.BadAnswer, $"the answer is longer than {MaxAnswerChars} characters");
            }

            onText(text);
        }

        // A call comes in pieces: the id and name first, then its arguments bit by bit.
        private void AddCalls(JsonArray? calls)
        {
            foreach (var call in calls ?? [])
            {
                Begin();
                var index = call?["index"]?.GetValue<int>() ?? 0;
                var known = _calls.TryGetValue(index, out var found) ? found : ("", "", new StringBuilder());
                var id = call?["id"]?.GetValue<string>() is { Length: > 0 } given ? given : known.Item1;
                var name = call?["function"]?["name"]?.GetValue<string>() is { Length: > 0 } called ? called : known.Item2;
                known.Item3.Append(call?["function"]?["arguments"]?.GetValue<string>());
                _calls[index] = (id, name, known.Item3);
            }
        }

        private void Begin() => _firstMs = _firstMs < 0 ? Elapsed() : _firstMs;

        private long Elapsed() => (long)time.GetElapsedTime(began).TotalMilliseconds;
    }
}
