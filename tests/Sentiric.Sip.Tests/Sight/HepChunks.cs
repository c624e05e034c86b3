namespace Sentiric.Sip.Tests.Sight;

/// <summary>A capture server's reading of a packet: what each chunk holds, by type.</summary>
internal static class HepChunks
{
    public static IReadOnlyDictionary<int, byte[]> Of(byte[] packet)
    {
        Assert.Equal("HEP3"u8, packet.AsSpan(0, 4));
        Assert.Equal(packet.Length, Number(packet[4..6]));
        var chunks = new Dictionary<int, byte[]>();
        for (int at = 6; at < packet.Length; at += Number(packet[(at + 4)..(at + 6)]))
        {
            Assert.Equal(0, Number(packet[at..(at + 2)]));
            chunks.Add(Number(packet[(at + 2)..(at + 4)]), packet[(at + 6)..(at + Number(packet[(at + 4)..(at + 6)]))]);
        }

        return chunks;
    }

    /// <summary>In network order.</summary>
    public static int Number(byte[] bytes) => bytes.Aggregate(0, (number, next) => (number << 8) + next);
}
