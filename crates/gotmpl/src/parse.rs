//! Tokens to templates, with Go's messages.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use ahash::RandomState;

use crate::builtin::Builtin;
use crate::error::Error;
use crate::function::Functions;
use crate::lex::{Kind, Lexer, Token};
use crate::node::{
    Arg, ArgKind, Branch, Code, Command, DOLLAR, FunctionRef, List, NameId, Node, Pipe, Pos, Run, Shown, Target,
    TemplateCall, Text,
};
use crate::number;
use crate::quote::{quoted, unquote};
use crate::template::{Parsed, Template, Unit, is_empty};

/// How deep blocks and parentheses may be nested together. Go allows 10000 parentheses and any number of
/// blocks; the executor recurses as deep as the template is nested, so this bounds its stack too.
pub const MAX_NESTING: usize = 1000;

/// Texts longer than this are refused: positions are 32 bits.
const MAX_TEXT: usize = 1 << 30;

/// Parses a text and the definitions in it. Unknown functions are errors; builtins need no entry.
pub fn parse(name: &str, text: &str, functions: &Functions) -> Result<Parsed> {
    parse_at(name, name, text, functions)
}

/// The same for a text whose name says too little about where it stands; see [`Unit::place`].
pub(crate) fn parse_at(name: &str, place: &str, text: &str, functions: &Functions) -> Result<Parsed> {
    if text.len() > MAX_TEXT {
        return Err(Error::parse(format!(
            "template: {name}:1: text longer than {MAX_TEXT} bytes"
        )));
    }
    let break_ok = functions.id("break").is_none();
    let continue_ok = functions.id("continue").is_none();
    let mut parser = Parser {
        lexer: Lexer::new(text, break_ok, continue_ok),
        pending: Vec::with_capacity(4),
        unit: name,
        text,
        functions,
        frame: Frame::new(),
        code: Code::default(),
        open: Open::default(),
        names: HashMap::default(),
        targets: Vec::new(),
        texts: HashMap::default(),
        templates: Vec::new(),
        nesting: 0,
    };
    // `$` has the first place among the names.
    parser.name("$");
    let root = parser.top()?;
    parser.add(name, root)?;
    let code = parser.code;
    let templates = parser.templates;
    let unit = Arc::new(Unit {
        name: name.into(),
        text: text.into(),
        place: place.into(),
        code,
    });
    let templates: Vec<Arc<Template>> = templates
        .into_iter()
        .map(|one| {
            Arc::new(Template {
                name: if *one.name == *unit.name {
                    Arc::clone(&unit.name)
                } else {
                    one.name.into()
                },
                unit: Arc::clone(&unit),
                root: one.root,
                empty: one.empty,
            })
        })
        .collect();
    match templates.iter().find(|template| *template.name == *name) {
        Some(main) => Ok(Parsed {
            main: Arc::clone(main),
            templates: templates.clone(),
        }),
        None => Err(Error::parse(format!("template: {name}: no template"))),
    }
}

/// What Go keeps per template while it parses one.
struct Frame {
    /// Line of the token read last.
    line: u32,
    variables: Vec<NameId>,
    action_line: u32,
    range_depth: usize,
}

impl Frame {
    fn new() -> Self {
        Self {
            line: 0,
            variables: vec![DOLLAR],
            action_line: 0,
            range_depth: 0,
        }
    }
}

/// What was read of lists, pipelines and commands that have not ended: with their end it moves to the tables, so that neighbours are
/// neighbours there.
#[derive(Default)]
struct Open {
    nodes: Vec<Node>,
    commands: Vec<Command>,
    args: Vec<Arg>,
}

/// A template of the text.
struct Found<'t> {
    name: Cow<'t, str>,
    root: List,
    empty: bool,
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    /// Tokens given back, the next one last.
    pending: Vec<Token<'t>>,
    /// Name of the text.
    unit: &'t str,
    text: &'t str,
    functions: &'t Functions,
    frame: Frame,
    code: Code,
    open: Open,
    names: HashMap<&'t str, NameId, RandomState>,
    /// What names mean as functions, where that was asked.
    targets: Vec<Option<Target>>,
    /// String literals by their source.
    texts: HashMap<&'t str, u32, RandomState>,
    templates: Vec<Found<'t>>,
    nesting: usize,
}

/// What ended a list.
enum End {
    End,
    Else,
}

impl End {
    fn text(&self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else => "{{else}}",
        }
    }
}

/// What an action turned out to be.
enum Item {
    Node(Node),
    End(End),
}

type Result<T> = std::result::Result<T, Error>;

impl<'t> Parser<'t> {
    fn error<T>(&self, message: impl AsRef<str>) -> Result<T> {
        Err(Error::parse(format!(
            "template: {}:{}: {}",
            self.unit,
            self.frame.line,
            message.as_ref()
        )))
    }

    fn unexpected<T>(&self, token: &Token<'_>, context: &str) -> Result<T> {
        if token.kind == Kind::Error {
            let message = self.lexer.message();
            let mut extra = String::new();
            if self.frame.action_line != 0 && self.frame.action_line != token.line {
                extra = format!(" in action started at {}:{}", self.unit, self.frame.action_line);
                if message.ends_with(" action") {
                    extra = extra.replacen(" in action", "", 1);
                }
            }
            return self.error(format!("{message}{extra}"));
        }
        self.error(format!("unexpected {} in {context}", token.describe()))
    }

    fn next(&mut self) -> Token<'t> {
        if let Some(token) = self.pending.pop() {
            return token;
        }
        let token = self.lexer.token();
        self.frame.line = token.line;
        token
    }

    fn back(&mut self, token: Token<'t>) {
        self.pending.push(token);
    }

    fn peek(&mut self) -> Kind {
        if let Some(token) = self.pending.last() {
            return token.kind;
        }
        let token = self.lexer.token();
        self.frame.line = token.line;
        self.pending.push(token);
        token.kind
    }

    fn next_non_space(&mut self) -> Token<'t> {
        loop {
            let token = self.next();
            if token.kind != Kind::Space {
                return token;
            }
        }
    }

    /// Skips spaces and returns kind and position of what follows.
    fn peek_non_space(&mut self) -> (Kind, Pos) {
        while self.peek() == Kind::Space {
            self.pending.pop();
        }
        self.pending
            .last()
            .map_or((Kind::Eof, 0), |token| (token.kind, token.pos))
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Result<Token<'t>> {
        let token = self.next_non_space();
        if token.kind != kind {
            return self.unexpected(&token, context);
        }
        Ok(token)
    }

    fn deeper(&mut self, message: &str) -> Result<()> {
        if self.nesting >= MAX_NESTING {
            return self.error(message);
        }
        self.nesting += 1;
        Ok(())
    }

    fn add(&mut self, name: impl Into<Cow<'t, str>>, root: List) -> Result<()> {
        let found = Found {
            name: name.into(),
            root,
            empty: is_empty(self.code.list(root), self.text),
        };
        let Some(known) = self.templates.iter_mut().find(|known| known.name == found.name) else {
            self.templates.push(found);
            return Ok(());
        };
        if known.empty {
            *known = found;
        } else if !found.empty {
            let name = quoted(&found.name);
            return self.error(format!("template: multiple definition of template {name}"));
        }
        Ok(())
    }

    /// Ends a list whose nodes stand open from `mark` on.
    fn list(&mut self, mark: usize) -> List {
        let start = self.code.nodes.len();
        self.code.nodes.extend(self.open.nodes.drain(mark..));
        Run::new(start, self.code.nodes.len() - start)
    }

    fn top(&mut self) -> Result<List> {
        loop {
            let token = self.next();
            match token.kind {
                Kind::Eof => return Ok(self.list(0)),
                Kind::LeftDelim => {
                    let word = self.next_non_space();
                    if word.kind == Kind::Define {
                        let outer = std::mem::replace(&mut self.frame, Frame::new());
                        let done = self.definition();
                        done?;
                        self.frame = outer;
                        continue;
                    }
                    self.back(word);
                    self.back(token);
                }
                _ => self.back(token),
            }
            match self.text_or_action()? {
                Item::Node(node) => self.open.nodes.push(node),
                Item::End(end) => return self.error(format!("unexpected {}", end.text())),
            }
        }
    }

    fn definition(&mut self) -> Result<()> {
        let context = "define clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, context)?;
        self.expect(Kind::RightDelim, context)?;
        let (root, end) = self.item_list()?;
        if let End::Else = end {
            return self.error(format!("unexpected {} in {context}", end.text()));
        }
        self.add(name, root)
    }

    fn template_name(&mut self, token: &Token<'t>, context: &str) -> Result<Cow<'t, str>> {
        if !matches!(token.kind, Kind::String | Kind::RawString) {
            return self.unexpected(token, context);
        }
        match unquote(token.text) {
            Some(Cow::Borrowed(name)) => Ok(String::from_utf8_lossy(name)),
            Some(Cow::Owned(name)) => Ok(String::from_utf8_lossy(&name).into_owned().into()),
            None => self.error("invalid syntax"),
        }
    }

    fn item_list(&mut self) -> Result<(List, End)> {
        let mark = self.open.nodes.len();
        while self.peek_non_space().0 != Kind::Eof {
            match self.text_or_action()? {
                Item::Node(node) => self.open.nodes.push(node),
                Item::End(end) => return Ok((self.list(mark), end)),
            }
        }
        self.error("unexpected EOF")
    }

    fn text_or_action(&mut self) -> Result<Item> {
        let token = self.next_non_space();
        match token.kind {
            Kind::Text => Ok(Item::Node(Node::Text {
                start: token.pos,
                end: token.pos + token.text.len() as Pos,
            })),
            Kind::LeftDelim => {
                self.frame.action_line = token.line;
                let item = self.action()?;
                self.frame.action_line = 0;
                Ok(item)
            }
            _ => self.unexpected(&token, "input"),
        }
    }

    fn action(&mut self) -> Result<Item> {
        let token = self.next_non_space();
        let node = match token.kind {
            Kind::Block => self.block()?,
            Kind::Break | Kind::Continue => {
                let is_break = token.kind == Kind::Break;
                let context = if is_break { "{{break}}" } else { "{{continue}}" };
                let after = self.next_non_space();
                if after.kind != Kind::RightDelim {
                    return self.unexpected(&after, context);
                }
                if self.frame.range_depth == 0 {
                    return self.error(format!("{context} outside {{{{range}}}}"));
                }
                if is_break { Node::Break } else { Node::Continue }
            }
            Kind::Else => {
                let (kind, _) = self.peek_non_space();
                if !matches!(kind, Kind::If | Kind::With) {
                    self.expect(Kind::RightDelim, "else")?;
                }
                return Ok(Item::End(End::Else));
            }
            Kind::End => {
                self.expect(Kind::RightDelim, "end")?;
                return Ok(Item::End(End::End));
            }
            Kind::If => Node::If(self.control("if")?),
            Kind::Range => Node::Range(self.control("range")?),
            Kind::With => Node::With(self.control("with")?),
            Kind::Template => {
                let context = "template clause";
                let token = self.next_non_space();
                let name = self.template_name(&token, context)?;
                let after = self.next_non_space();
                let pipe = if after.kind == Kind::RightDelim {
                    None
                } else {
                    self.back(after);
                    Some(self.pipeline(context, Kind::RightDelim)?)
                };
                Node::Template(TemplateCall {
                    pos: token.pos,
                    name: self.own_name(&name),
                    pipe,
                })
            }
            _ => {
                self.back(token);
                Node::Action(self.pipeline("command", Kind::RightDelim)?)
            }
        };
        Ok(Item::Node(node))
    }

    fn block(&mut self) -> Result<Node> {
        let context = "block clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, context)?;
        let pipe = self.pipeline(context, Kind::RightDelim)?;
        self.deeper("max block depth exceeded")?;
        let outer = std::mem::replace(&mut self.frame, Frame::new());
        let (root, end) = self.item_list()?;
        self.nesting -= 1;
        let inner = std::mem::replace(&mut self.frame, outer);
        if let End::Else = end {
            return self.error(format!("unexpected {} in {context}", end.text()));
        }
        let outer_line = std::mem::replace(&mut self.frame.line, inner.line);
        let called = self.own_name(&name);
        self.add(name, root)?;
        self.frame.line = outer_line;
        Ok(Node::Template(TemplateCall {
            pos: token.pos,
            name: called,
            pipe: Some(pipe),
        }))
    }

    fn control(&mut self, context: &'static str) -> Result<Branch> {
        self.deeper("max block depth exceeded")?;
        let known = self.frame.variables.len();
        let pipe = self.pipeline(context, Kind::RightDelim)?;
        let is_range = context == "range";
        self.frame.range_depth += usize::from(is_range);
        let (list, end) = self.item_list()?;
        self.frame.range_depth -= usize::from(is_range);
        let other = match end {
            End::End => None,
            End::Else => Some(self.otherwise(context)?),
        };
        self.frame.variables.truncate(known);
        self.nesting -= 1;
        Ok(Branch { pipe, list, other })
    }

    fn otherwise(&mut self, context: &str) -> Result<List> {
        let chained = matches!((context, self.peek()), ("if", Kind::If) | ("with", Kind::With));
        if chained {
            self.next();
            let node = if context == "if" {
                Node::If(self.control("if")?)
            } else {
                Node::With(self.control("with")?)
            };
            self.open.nodes.push(node);
            return Ok(self.list(self.open.nodes.len() - 1));
        }
        let (list, end) = self.item_list()?;
        match end {
            End::End => Ok(list),
            End::Else => self.error("expected end; found {{else}}"),
        }
    }

    fn name(&mut self, text: &'t str) -> NameId {
        if let Some(id) = self.names.get(text) {
            return *id;
        }
        let id = self.own_name(text);
        self.names.insert(text, id);
        id
    }

    /// A name that has no place in the text; it is not looked for.
    fn own_name(&mut self, text: &str) -> NameId {
        self.code.names.push(text.into());
        self.targets.push(None);
        self.code.names.len() as NameId - 1
    }

    fn declare(&mut self, pipe: &mut Pipe, variable: &'t str) {
        let name = self.name(variable);
        self.frame.variables.push(name);
        self.extend(&mut pipe.decl, name);
    }

    /// Adds a name to the path that was begun last.
    fn extend(&mut self, path: &mut Run<NameId>, name: NameId) {
        self.code.path.push(name);
        let length = path.len() + 1;
        *path = Run::new(self.code.path.len() - length, length);
    }

    fn declarations(&mut self, pipe: &mut Pipe, context: &str) -> Result<()> {
        while self.peek_non_space().0 == Kind::Variable {
            let variable = self.next();
            let after = self.next();
            // Spaces are tokens: what follows them decides whether this is a declaration.
            let (space, next) = if after.kind == Kind::Space {
                let next = self.next_non_space();
                (Some(after), next)
            } else {
                (None, after)
            };
            match next.kind {
                Kind::Assign | Kind::Declare => {
                    pipe.assign = next.kind == Kind::Assign;
                    self.declare(pipe, variable.text);
                    return Ok(());
                }
                Kind::Char if next.text == "," => {
                    self.declare(pipe, variable.text);
                    if context != "range" || pipe.decl.len() >= 2 {
                        return self.error(format!("too many declarations in {context}"));
                    }
                    if !matches!(
                        self.peek_non_space().0,
                        Kind::Variable | Kind::RightDelim | Kind::RightParen
                    ) {
                        return self.error("range can only initialize variables");
                    }
                }
                _ => {
                    self.back(next);
                    if let Some(space) = space {
                        self.back(space);
                    }
                    self.back(variable);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn pipeline(&mut self, context: &str, end: Kind) -> Result<Pipe> {
        let (_, pos) = self.peek_non_space();
        let mut pipe = Pipe {
            pos,
            assign: false,
            decl: Run::new(0, 0),
            commands: Run::new(0, 0),
        };
        self.declarations(&mut pipe, context)?;
        let mark = self.open.commands.len();
        loop {
            match self.peek_non_space().0 {
                kind if kind == end => {
                    self.pending.pop();
                    let start = self.code.commands.len();
                    self.code.commands.extend(self.open.commands.drain(mark..));
                    pipe.commands = Run::new(start, self.code.commands.len() - start);
                    self.check_pipeline(&pipe, context)?;
                    return Ok(pipe);
                }
                Kind::Bool
                | Kind::CharConstant
                | Kind::Complex
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Nil
                | Kind::RawString
                | Kind::String
                | Kind::Variable
                | Kind::LeftParen => {
                    let command = self.command()?;
                    self.open.commands.push(command);
                }
                _ => {
                    let token = self.next();
                    return self.unexpected(&token, context);
                }
            }
        }
    }

    fn check_pipeline(&self, pipe: &Pipe, context: &str) -> Result<()> {
        if pipe.commands.is_empty() {
            return self.error(format!("missing value for {context}"));
        }
        for (at, command) in self.code.commands(pipe).iter().enumerate().skip(1) {
            if let Some(ArgKind::Bool(_) | ArgKind::Dot | ArgKind::Nil | ArgKind::Number(_) | ArgKind::Text { .. }) =
                self.code.args(command).first().map(|arg| &arg.kind)
            {
                return self.error(format!("non executable command in pipeline stage {}", at + 1));
            }
        }
        Ok(())
    }

    fn command(&mut self) -> Result<Command> {
        let (_, pos) = self.peek_non_space();
        let mark = self.open.args.len();
        loop {
            self.peek_non_space();
            let operand = self.operand()?;
            self.open.args.extend(operand);
            match self.peek() {
                Kind::Space => {
                    self.pending.pop();
                    continue;
                }
                Kind::RightDelim | Kind::RightParen => {}
                Kind::Pipe => {
                    self.pending.pop();
                }
                _ => {
                    let token = self.next();
                    return self.unexpected(&token, "operand");
                }
            }
            break;
        }
        let start = self.code.args.len();
        self.code.args.extend(self.open.args.drain(mark..));
        let args = Run::new(start, self.code.args.len() - start);
        if args.is_empty() {
            return self.error("empty command");
        }
        Ok(Command { pos, args })
    }

    fn operand(&mut self) -> Result<Option<Arg>> {
        let Some(node) = self.term()? else {
            return Ok(None);
        };
        if self.peek() != Kind::Field {
            return Ok(Some(node));
        }
        let (_, pos) = self.peek_non_space();
        // Nothing else was put behind the names of the term, if it has any.
        let mut names = match node.kind {
            ArgKind::Field(names) | ArgKind::Variable(_, names) => names,
            _ => Run::new(0, 0),
        };
        while self.peek() == Kind::Field {
            let token = self.next();
            let name = self.name(token.text.get(1..).unwrap_or_default());
            self.extend(&mut names, name);
        }
        let kind = match node.kind {
            ArgKind::Field(_) => ArgKind::Field(names),
            ArgKind::Variable(name, _) => ArgKind::Variable(name, names),
            ArgKind::Bool(_) | ArgKind::Text { .. } | ArgKind::Number(_) | ArgKind::Nil | ArgKind::Dot => {
                let shown = Shown(self.text, &self.code, &node).to_string();
                return self.error(format!("unexpected . after term {}", quoted(&shown)));
            }
            _ => {
                self.code.args.push(node);
                ArgKind::Chain(self.code.args.len() as u32 - 1, names)
            }
        };
        Ok(Some(Arg { pos, kind }))
    }

    fn term(&mut self) -> Result<Option<Arg>> {
        let token = self.next_non_space();
        let kind = match token.kind {
            Kind::Identifier => ArgKind::Function(self.function(token.text)?),
            Kind::Dot => ArgKind::Dot,
            Kind::Nil => ArgKind::Nil,
            Kind::Variable => {
                let name = self.name(token.text);
                if !self.frame.variables.contains(&name) {
                    return self.error(format!("undefined variable {}", quoted(token.text)));
                }
                ArgKind::Variable(name, Run::new(0, 0))
            }
            Kind::Field => {
                let name = self.name(token.text.get(1..).unwrap_or_default());
                let mut names = Run::new(0, 0);
                self.extend(&mut names, name);
                ArgKind::Field(names)
            }
            Kind::Bool => ArgKind::Bool(token.text == "true"),
            Kind::Number | Kind::Complex | Kind::CharConstant => {
                let literal = match token.kind {
                    Kind::CharConstant => number::character(token.text),
                    Kind::Complex => Ok(number::complex(token.text)),
                    _ => number::number(token.text),
                };
                match literal {
                    Ok(literal) => {
                        self.code.numbers.push(literal);
                        ArgKind::Number(self.code.numbers.len() as u32 - 1)
                    }
                    Err(message) => return self.error(message),
                }
            }
            Kind::LeftParen => {
                self.deeper("max expression depth exceeded")?;
                let pipe = self.pipeline("parenthesized pipeline", Kind::RightParen)?;
                self.nesting -= 1;
                // A parenthesised pipeline stands where its first operand does.
                return Ok(Some(Arg {
                    pos: pipe.pos,
                    kind: ArgKind::Pipe(pipe),
                }));
            }
            Kind::String | Kind::RawString => {
                let Some(text) = self.literal(token.text) else {
                    return self.error("invalid syntax");
                };
                ArgKind::Text {
                    text,
                    source: token.text.len() as u32,
                }
            }
            _ => {
                self.back(token);
                return Ok(None);
            }
        };
        Ok(Some(Arg { pos: token.pos, kind }))
    }

    /// The place of a string literal; `None` if it is not well-formed.
    fn literal(&mut self, source: &'t str) -> Option<u32> {
        if let Some(known) = self.texts.get(source) {
            return Some(*known);
        }
        let bytes = unquote(source)?;
        self.code.texts.push(match std::str::from_utf8(&bytes) {
            Ok(text) => Text::Utf8(text.into()),
            Err(_) => Text::Bytes(bytes.as_ref().into()),
        });
        let text = self.code.texts.len() as u32 - 1;
        self.texts.insert(source, text);
        Some(text)
    }

    fn function(&mut self, text: &'t str) -> Result<FunctionRef> {
        let name = self.name(text);
        if let Some(target) = self.targets.get(name as usize).copied().flatten() {
            return Ok(FunctionRef { name, target });
        }
        let target = match (self.functions.id(text), Builtin::named(text)) {
            (Some(id), _) => Target::Registered(id),
            (None, Some(builtin)) => Target::Builtin(builtin),
            (None, None) => return self.error(format!("function {} not defined", quoted(text))),
        };
        if let Some(known) = self.targets.get_mut(name as usize) {
            *known = Some(target);
        }
        Ok(FunctionRef { name, target })
    }
}
