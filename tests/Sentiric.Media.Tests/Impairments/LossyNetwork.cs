namespace Sentiric.Media.Tests;

/// <summary>What a network does to packets; shares are 0 to 1.</summary>
internal sealed record Weather(double Loss = 0, double Duplication = 0, int JitterMs = 0, double Reorder = 0, int ReorderMs = 40, int BurstPackets = 1);

/// <summary>Decides the fate of each packet from a seed: the same seed gives the same network, on virtual time and on a real proxy.</summary>
internal sealed class LossyNetwork(Weather weather, int seed)
{
    private readonly Random dice = new(seed);
    private int losing;

    public int Lost { get; private set; }
    public int Duplicated { get; private set; }
    public int Reordered { get; private set; }

    /// <summary>Delays in milliseconds of each copy that arrives; none when the packet is lost.</summary>
    public IReadOnlyList<int> Fate()
    {
        if (losing == 0 && dice.NextDouble() < weather.Loss / weather.BurstPackets) losing = weather.BurstPackets;
        if (losing > 0)
        {
            (losing, Lost) = (losing - 1, Lost + 1);
            return [];
        }
        var delay = weather.JitterMs == 0 ? 0 : dice.Next(weather.JitterMs);
        if (dice.NextDouble() < weather.Reorder) (delay, Reordered) = (delay + weather.ReorderMs, Reordered + 1);
        if (dice.NextDouble() >= weather.Duplication) return [delay];
        Duplicated++;
        return [delay, delay + 1];
    }
}
