using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Sentiric.Media;

namespace Sentiric.Benchmarks.Media;

/// <summary>
/// The phones' side, in a process of its own: one socket per phone, a packet of 20 ms A-law each 20 ms, everything that comes back counted.
/// It prints its ports, reads the ports to send to (one for all, or one each), runs, and prints "sent received".
/// </summary>
public static class RtpLoad
{
    public const string Switch = "--rtp-load";
    private const int SlotsPerPacket = 20; // of 1 ms: the phones do not all speak at the same moment
    private const int PayloadBytes = 160;

    /// <summary>Arguments: number of phones, seconds.</summary>
    public static int Run(string[] arguments)
    {
        var phones = Enumerable.Range(0, Number(arguments[0])).Select(i => new Phone((uint)i + 1)).ToArray();
        Console.Out.WriteLine(string.Join(' ', phones.Select(p => p.Port)));
        var targets = (Console.In.ReadLine() ?? "").Split(' ').Select(Number).ToArray();
        for (var i = 0; i < phones.Length; i++) phones[i].Connect(targets[i % targets.Length]);
        Speak(phones, TimeSpan.FromSeconds(double.Parse(arguments[1], CultureInfo.InvariantCulture)));
        Console.Out.WriteLine($"{phones.Sum(p => p.Sent)} {phones.Sum(p => p.Received)}");
        return 0;
    }

    private static void Speak(Phone[] phones, TimeSpan length)
    {
        var since = Stopwatch.StartNew();
        for (var slot = 0L; since.Elapsed < length; slot++)
        {
            while (since.ElapsedMilliseconds < slot) Thread.Sleep(1);
            for (var i = slot % SlotsPerPacket; i < phones.Length; i += SlotsPerPacket) phones[i].Speak();
        }
        Thread.Sleep(50); // what is still on its way
        foreach (var phone in phones) phone.Drain();
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private sealed class Phone
    {
        private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        private readonly byte[] packet = new byte[RtpHeader.Size + PayloadBytes];
        private readonly byte[] buffer = new byte[2_048];
        private readonly uint ssrc;

        public Phone(uint ssrc)
        {
            this.ssrc = ssrc;
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            new Random((int)ssrc).NextBytes(packet.AsSpan(RtpHeader.Size));
        }

        public int Port => (socket.LocalEndPoint as IPEndPoint)?.Port ?? 0;

        public long Sent { get; private set; }

        public long Received { get; private set; }

        public void Connect(int port) => socket.Connect(new IPEndPoint(IPAddress.Loopback, port));

        public void Speak()
        {
            RtpHeader.Write(packet, marker: Sent == 0, payloadType: 8, (ushort)Sent, (uint)Sent * PayloadBytes, ssrc);
            socket.Send(packet);
            Sent++;
            Drain();
        }

        public void Drain()
        {
            while (socket.Available > 0)
            {
                var length = socket.Receive(buffer);
                if (!RtpHeader.LooksLikeRtcp(buffer.AsSpan(0, length))) Received++;
            }
        }
    }
}
