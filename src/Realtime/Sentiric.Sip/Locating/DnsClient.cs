using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Sentiric.Sip;

/// <summary>Whom to ask, and how patiently.</summary>
public sealed record DnsClientOptions
{
    /// <summary>In the order they are asked. Empty: nobody is, and every answer is a failure.</summary>
    public required IReadOnlyList<IPEndPoint> Servers { get; init; }

    /// <summary>For one question to one server.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often the list of servers is gone through.</summary>
    public int Rounds { get; init; } = 2;
}

/// <summary>
/// Asks name servers over UDP, and over TCP when an answer was cut (RFC 1035 4.2, RFC 7766). Each question has a socket of its own, so that the
/// port is the kernel's to choose, and a random id; connecting the socket makes the kernel refuse other senders (RFC 5452). Thread-safe.
/// </summary>
public sealed class DnsClient(DnsClientOptions options, TimeProvider time) : IDnsLookup
{
    private const int MaxServers = 3;

    /// <summary>Datagrams that are no answer to the question; then the server counts as silent.</summary>
    private const int MaxStrangers = 16;
    private const int MaxDatagramBytes = 4_096;

    private readonly IReadOnlyList<IPEndPoint> servers = options.Servers.Take(MaxServers).ToList();

    public async Task<DnsAnswer> AskAsync(string name, DnsRecordType type, CancellationToken ct)
    {
        for (int round = 0; round < options.Rounds; round++)
        {
            foreach (IPEndPoint server in servers)
            {
                var id = (ushort)RandomNumberGenerator.GetInt32(ushort.MaxValue + 1);
                if (DnsMessage.Question(id, name, type) is not { } question)
                {
                    return new DnsAnswer(DnsOutcome.Nothing, [], DnsAnswer.FailureLife);
                }

                if (await AskServerAsync(server, question, name, type, ct).ConfigureAwait(false) is { } answer)
                {
                    return answer;
                }
            }
        }

        return DnsAnswer.Failure;
    }

    /// <summary>Null when this server gave no answer that helps.</summary>
    private async Task<DnsAnswer?> AskServerAsync(IPEndPoint server, byte[] question, string name, DnsRecordType type, CancellationToken ct)
    {
        using var patience = new CancellationTokenSource(options.Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, ct);
        try
        {
            byte[]? message = await AskOverUdpAsync(server, question, either.Token).ConfigureAwait(false);
            if (message is not null && DnsMessage.IsTruncated(message))
            {
                message = await AskOverTcpAsync(server, question, either.Token).ConfigureAwait(false);
            }

            return message is null ? null : DnsMessage.Read(message, question, name, type);
        }
        catch (Exception fault) when (!ct.IsCancellationRequested && fault is SocketException or IOException or OperationCanceledException)
        {
            // Silence, a refused port or a lost connection: the next server is asked.
            return null;
        }
    }

    private static async Task<byte[]?> AskOverUdpAsync(IPEndPoint server, byte[] question, CancellationToken ct)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(server, ct).ConfigureAwait(false);
        await socket.SendAsync(question, ct).ConfigureAwait(false);
        byte[] buffer = new byte[MaxDatagramBytes];
        for (int i = 0; i < MaxStrangers; i++)
        {
            int length = await socket.ReceiveAsync(buffer, ct).ConfigureAwait(false);
            if (DnsMessage.Answers(buffer.AsSpan(0, length), question))
            {
                return buffer[..length];
            }
        }

        return null;
    }

    private static async Task<byte[]?> AskOverTcpAsync(IPEndPoint server, byte[] question, CancellationToken ct)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server, ct).ConfigureAwait(false);
        await using var stream = new NetworkStream(socket);
        byte[] framed = [(byte)(question.Length >> 8), (byte)question.Length, .. question];
        await stream.WriteAsync(framed, ct).ConfigureAwait(false);
        byte[] length = new byte[2];
        await stream.ReadExactlyAsync(length, ct).ConfigureAwait(false);
        byte[] message = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
        await stream.ReadExactlyAsync(message, ct).ConfigureAwait(false);
        return DnsMessage.Answers(message, question) && !DnsMessage.IsTruncated(message) ? message : null;
    }
}
