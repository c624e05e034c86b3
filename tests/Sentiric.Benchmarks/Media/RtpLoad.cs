using System.Diagnostics;
using System.Globalization;

namespace Sentiric.Benchmarks.Media;

/// <summary>
/// The phones' side, in a process of its own: a packet of 20 ms A-law each 20 ms from every phone, everything that comes back counted.
/// Phones share sockets (<see cref="Trunk"/>), a leg is known by the port of ours that it speaks to.
/// It prints a port for each phone, reads the ports to send to (one for all, or one each), runs, and prints "sent received".
/// </summary>
public static class RtpLoad
{
    public const string Switch = "--rtp-load";
    private const int Slots = 20; // of 1 ms: the phones do not all speak at the same moment
    private const long SlotNs = 1_000_000;
    private const int PhonesPerSocket = 100;
    private const int Priority = 5;
    private const int SettleSlots = 100; // what is still on its way

    /// <summary>Arguments: number of phones, seconds.</summary>
    public static int Run(string[] arguments)
    {
        var phones = Number(arguments[0]);
        var trunks = Enumerable.Range(0, (phones + PhonesPerSocket - 1) / PhonesPerSocket)
            .Select(i => new Trunk(Math.Min(PhonesPerSocket, phones - i * PhonesPerSocket), i * PhonesPerSocket + 1)).ToArray();
        Console.Out.WriteLine(string.Join(' ', trunks.SelectMany(t => Enumerable.Repeat(t.Port, t.Phones))));
        var targets = (Console.In.ReadLine() ?? "").Split(' ').Select(Number).ToArray();
        for (var i = 0; i < phones; i++) trunks[i / PhonesPerSocket].Connect(i % PhonesPerSocket, targets[i % targets.Length]);
        var worker = new Thread(() => Speak(trunks, TimeSpan.FromSeconds(double.Parse(arguments[1], CultureInfo.InvariantCulture))));
        worker.Start();
        worker.Join();
        Console.Out.WriteLine($"{trunks.Sum(t => t.Sent)} {trunks.Sum(t => t.Received)}");
        return 0;
    }

    private static void Speak(Trunk[] trunks, TimeSpan length)
    {
        Kernel.Urgent(Priority); // without it a busy machine makes the load, and not what is measured, irregular
        var (start, slots) = (Stopwatch.GetTimestamp(), (long)length.TotalMilliseconds);
        for (var slot = 0L; slot < slots + SettleSlots; slot++)
        {
            Kernel.SleepUntil(start + slot * SlotNs);
            foreach (var trunk in trunks)
            {
                var (from, to) = Share(trunk.Phones, slot % Slots);
                if (slot < slots) trunk.Speak(from, to - from);
                trunk.Drain();
            }
        }
    }

    private static (int From, int To) Share(int phones, long slot) => ((int)(phones * slot / Slots), (int)(phones * (slot + 1) / Slots));

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
