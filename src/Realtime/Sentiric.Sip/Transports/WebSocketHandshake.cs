using System.Security.Cryptography;
using System.Text;

namespace Sentiric.Sip;

/// <summary>Who may open a WebSocket.</summary>
public sealed record SipWebSocketOptions
{
    /// <summary>Any page.</summary>
    public const string AnyOrigin = "*";

    /// <summary>
    /// Pages that may: "https://phone.example", compared without regard to case; <see cref="AnyOrigin"/> for all. Clients that are no browsers send no
    /// Origin and are not asked for one (RFC 6455 10.2).
    /// </summary>
    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];

    /// <summary>Between two pings of ours (RFC 6455 5.5.2): proxies before browsers close quiet connections after a minute or so.</summary>
    public TimeSpan PingInterval { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>The server's half of the opening handshake (RFC 6455 4.2) for the subprotocol sip (RFC 7118 4.1).</summary>
internal sealed class WebSocketHandshake(SipWebSocketOptions options)
{
    private const int MaxHeadBytes = 8_192;
    private const int MaxHeaders = 64;
    private const int KeyBytes = 16;
    private const string Subprotocol = "sip";

    /// <summary>RFC 6455 1.3.</summary>
    private const string KeySuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    /// <summary>Takes the handshake; what came behind it already is given back.</summary>
    /// <exception cref="IOException">The peer went away, or was refused with an HTTP status.</exception>
    public async Task<byte[]> TakeAsync(Stream stream, CancellationToken ct)
    {
        byte[] buffer = new byte[MaxHeadBytes];
        int length = 0, end;
        while ((end = buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8)) < 0)
        {
            int read = length == buffer.Length ? 0 : await stream.ReadAsync(buffer.AsMemory(length), ct).ConfigureAwait(false);
            if (read == 0)
            {
                throw new IOException("The opening handshake is cut short or too long.");
            }

            length += read;
        }

        string answer = Answer(Encoding.Latin1.GetString(buffer, 0, end), out bool accepted);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(answer), ct).ConfigureAwait(false);
        await stream.FlushAsync(ct).ConfigureAwait(false);
        return accepted ? buffer[(end + 4)..length] : throw new IOException("The opening handshake was refused: " + answer[..answer.IndexOf("\r\n", StringComparison.Ordinal)]);
    }

    /// <summary>The whole response to a head without its last empty line.</summary>
    internal string Answer(string head, out bool accepted)
    {
        accepted = false;
        string[] lines = head.Split("\r\n");
        if (!IsGet(lines[0]) || lines.Length - 1 > MaxHeaders || Headers(lines) is not { } headers || !headers.Contains("host"))
        {
            return Refuse("400 Bad Request");
        }

        if (!Has(headers, "upgrade", "websocket") || !Has(headers, "connection", "upgrade") || !Has(headers, "sec-websocket-version", "13"))
        {
            return Refuse("426 Upgrade Required", "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
        }

        string[] keys = [.. headers["sec-websocket-key"]];
        if (keys.Length != 1 || !IsKey(keys[0]) || !Has(headers, "sec-websocket-protocol", Subprotocol))
        {
            return Refuse("400 Bad Request");
        }

        if (headers["origin"].Any(origin => !IsAllowed(origin)))
        {
            return Refuse("403 Forbidden");
        }

        accepted = true;
        string proof = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(keys[0] + KeySuffix)));
        return $"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {proof}\r\nSec-WebSocket-Protocol: {Subprotocol}\r\n\r\n";
    }

    private static bool IsGet(string line) => line.Split(' ') is ["GET", ['/', ..], "HTTP/1.1"];

    /// <summary>Names in lower case; null when a line is no header.</summary>
    private static ILookup<string, string>? Headers(string[] lines)
    {
        var headers = new List<(string Name, string Value)>();
        foreach (string line in lines.Skip(1))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0 || line.AsSpan(0, colon).ContainsAny(' ', '\t'))
            {
                return null;
            }

            headers.Add((line[..colon].ToLowerInvariant(), line[(colon + 1)..].Trim()));
        }

        return headers.ToLookup(header => header.Name, header => header.Value, StringComparer.Ordinal);
    }

    private static bool Has(ILookup<string, string> headers, string name, string token) =>
        headers[name].SelectMany(value => value.Split(',', StringSplitOptions.TrimEntries)).Contains(token, StringComparer.OrdinalIgnoreCase);

    private static bool IsKey(string key)
    {
        Span<byte> bytes = stackalloc byte[KeyBytes + 2];
        return Convert.TryFromBase64String(key, bytes, out int length) && length == KeyBytes;
    }

    private bool IsAllowed(string origin) =>
        options.AllowedOrigins.Contains(SipWebSocketOptions.AnyOrigin, StringComparer.Ordinal) || options.AllowedOrigins.Contains(origin, StringComparer.OrdinalIgnoreCase);

    private static string Refuse(string status, string headers = "") => $"HTTP/1.1 {status}\r\n{headers}Connection: close\r\nContent-Length: 0\r\n\r\n";
}
