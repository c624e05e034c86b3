namespace Sentiric.Sip;

/// <summary>The order in which the servers of a service are tried (RFC 2782).</summary>
public static class ServiceOrder
{
    public static List<DnsService> Of(IReadOnlyList<DnsService> records, Random dice) => WeightedOrder.Of(records, one => one.Priority, one => one.Weight, dice);
}

/// <summary>Lower priority first, among equals by weight and dice, as RFC 2782 draws servers.</summary>
public static class WeightedOrder
{
    public static List<T> Of<T>(IReadOnlyList<T> all, Func<T, int> priority, Func<T, int> weight, Random dice)
        where T : class
    {
        var ordered = new List<T>(all.Count);
        foreach (IGrouping<int, T> equals in all.GroupBy(priority).OrderBy(group => group.Key))
        {
            // Weight 0 stands first, so that it has its small chance when the dice show 0.
            var left = equals.OrderBy(one => weight(one) > 0).ToList();
            while (left.Count > 0)
            {
                int drawn = dice.Next(left.Sum(weight) + 1);
                int sum = 0;
                T chosen = left.First(one => (sum += weight(one)) >= drawn);
                ordered.Add(chosen);
                left.Remove(chosen);
            }
        }

        return ordered;
    }
}
