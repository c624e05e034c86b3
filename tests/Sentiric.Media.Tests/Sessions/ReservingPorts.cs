namespace Sentiric.Media.Tests;

public class ReservingPorts
{
    private static readonly PortRange Range = new(30_000, 33_000);

    [Theory]
    [InlineData("32768\t60999\n", "\n", 233)]
    [InlineData("32768\t60999\n", "30000-31999,32768-33000\n", 0)]
    [InlineData("32768\t60999\n", "8080,32800\n", 232)]
    [InlineData("40000 60999", "", 0)]
    [InlineData("rubbish", "", 0)]
    public void Ports_that_the_kernel_may_draw_are_counted(string drawnFrom, string reserved, int endangered) =>
        Assert.Equal(endangered, ReservedPorts.Endangered(Range, drawnFrom, reserved));

    [Fact]
    public void Ports_that_the_kernel_chooses_are_in_no_danger() => Assert.Equal(0, ReservedPorts.Endangered(PortRange.KernelChosen, "1 65535", ""));
}
