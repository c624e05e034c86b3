using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Sentiric.Sip;
using Sentiric.Testing.Platform;

namespace Sentiric.Sip.Tests.Locating;

/// <summary>An authoritative name server on loopback, UDP and TCP on one port, that says what a test has written into its zone.</summary>
internal sealed class NameServer : IAsyncDisposable
{
    private readonly Socket udp = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly Socket tcp = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource closing = new();
    private readonly List<Task> serving = [];

    public NameServer()
    {
        // One that the system gives for TCP may be somebody's for UDP.
        Address = new IPEndPoint(IPAddress.Loopback, FreePorts.Next());
        tcp.Bind(Address);
        tcp.Listen();
        udp.Bind(Address);
        serving.Add(ServeUdpAsync());
        serving.Add(ServeTcpAsync());
    }

    public IPEndPoint Address { get; }

    public ConcurrentDictionary<(string Name, DnsRecordType Type), byte[][]> Zone { get; } = new();

    public ConcurrentQueue<string> Asked { get; } = new();

    /// <summary>Datagrams say only that they were cut.</summary>
    public bool Truncates { get; set; }

    /// <summary>Sent before each answer from the right address, and they are no answers to the question.</summary>
    public Func<byte[], IEnumerable<byte[]>> Strangers { get; set; } = _ => [];

    public int? Code { get; set; }

    public void Naptr(string name, int order, int preference, string service, string replacement) =>
        Add(name, DnsRecordType.Naptr, [.. Number(order), .. Number(preference), .. Text("s"), .. Text(service), 0, .. Name(replacement)]);

    public void Srv(string name, int priority, int weight, int port, string target) =>
        Add(name, DnsRecordType.Srv, [.. Number(priority), .. Number(weight), .. Number(port), .. Name(target)]);

    public void Host(string name, string address) =>
        Add(name, address.Contains(':') ? DnsRecordType.Aaaa : DnsRecordType.A, IPAddress.Parse(address).GetAddressBytes());

    public DnsClient Client(int rounds = 1) => new(new DnsClientOptions { Servers = [Address], Rounds = rounds }, TimeProvider.System);

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await Task.WhenAll(serving);
        udp.Dispose();
        tcp.Dispose();
    }

    private void Add(string name, DnsRecordType type, byte[] data) => Zone.AddOrUpdate((name, type), [data], (_, known) => [.. known, data]);

    private async Task ServeUdpAsync()
    {
        byte[] buffer = new byte[512];
        try
        {
            while (true)
            {
                SocketReceiveFromResult got = await udp.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), closing.Token);
                byte[] question = buffer[..got.ReceivedBytes];
                byte[] answer = Answer(question);
                foreach (byte[] stranger in Strangers(answer))
                {
                    await udp.SendToAsync(stranger, got.RemoteEndPoint);
                }

                await udp.SendToAsync(Truncates ? Cut(answer, question.Length) : answer, got.RemoteEndPoint);
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    private async Task ServeTcpAsync()
    {
        try
        {
            while (true)
            {
                using Socket socket = await tcp.AcceptAsync(closing.Token);
                await using var stream = new NetworkStream(socket);
                byte[] length = new byte[2];
                await stream.ReadExactlyAsync(length, closing.Token);
                byte[] question = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
                await stream.ReadExactlyAsync(question, closing.Token);
                byte[] answer = Answer(question);
                await stream.WriteAsync((byte[])[.. Number(answer.Length), .. answer], closing.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    private static byte[] Cut(byte[] answer, int length)
    {
        byte[] cut = answer[..length];
        cut[2] |= 0x02;
        cut[6] = cut[7] = 0;
        return cut;
    }

    private byte[] Answer(byte[] question)
    {
        var (name, type) = Read(question);
        Asked.Enqueue($"{type} {name}");
        byte[][] records = Zone.GetValueOrDefault((name, type)) ?? [];
        int code = Code ?? (Zone.Keys.Any(key => key.Name == name) ? 0 : 3);
        return
        [
            .. question[..2], 0x84, (byte)code, 0, 1, .. Number(records.Length), 0, 0, 0, 0, .. question[12..],
            .. records.SelectMany(data => (byte[])[0xC0, 12, 0, (byte)type, 0, 1, 0, 0, 0, 60, .. Number(data.Length), .. data]),
        ];
    }

    private static (string Name, DnsRecordType Type) Read(byte[] question)
    {
        var labels = new List<string>();
        int at = 12;
        for (; question[at] != 0; at += 1 + question[at])
        {
            labels.Add(Encoding.ASCII.GetString(question, at + 1, question[at]));
        }

        return (string.Join('.', labels), (DnsRecordType)question[at + 2]);
    }

    private static byte[] Number(int value) => [(byte)(value >> 8), (byte)value];

    private static byte[] Text(string text) => [(byte)text.Length, .. Encoding.ASCII.GetBytes(text)];

    private static byte[] Name(string name) => name.Length == 0 ? [0] : [.. name.Split('.').SelectMany(Text), 0];
}
