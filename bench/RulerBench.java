import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import software.amazon.event.ruler.Machine;

/** Events a second of processor time that event-ruler holds against rules, and the matches of one pass: for bench/patterns.py. */
public class RulerBench {
    private static final ThreadMXBean CLOCK = ManagementFactory.getThreadMXBean();

    public static void main(String[] arguments) throws Exception {
        List<String> rules = Files.readAllLines(Path.of(arguments[0]));
        List<String> events = Files.readAllLines(Path.of(arguments[1]));
        Machine machine = new Machine();
        for (int number = 0; number < rules.size(); number++) {
            machine.addRule(String.valueOf(number), rules.get(number));
        }
        long found = 0;
        for (String event : events) {
            found += machine.rulesForJSONEvent(event).size();
        }
        pass(machine, events, 3.0);
        System.out.println(pass(machine, events, 2.0) + " " + found);
    }

    private static double pass(Machine machine, List<String> events, double seconds) throws Exception {
        long began = CLOCK.getCurrentThreadCpuTime();
        long done = 0;
        while (CLOCK.getCurrentThreadCpuTime() - began < seconds * 1e9) {
            for (String event : events) {
                machine.rulesForJSONEvent(event);
            }
            done += events.size();
        }
        return done / ((CLOCK.getCurrentThreadCpuTime() - began) / 1e9);
    }
}
